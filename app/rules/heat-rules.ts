import { RulesError } from '../../heat/parse-rules.ts';
import { readRules } from '../../heat/read-rules.ts';
import type { Config } from '../../service/config/config.ts';
import type { Finding } from '../../service/finding.ts';

/** All problems of the rules file for hot items. */
export async function heatFindings({
  heat,
  catalogue,
}: Pick<Config, 'heat' | 'catalogue'>): Promise<Finding[]> {
  if (!heat.enabled || heat.rules === undefined) return [];
  try {
    await readRules(heat.rules, { hasCatalogue: catalogue.file !== undefined });
    return [];
  } catch (error) {
    if (!(error instanceof RulesError)) throw error;
    return error.problems.map((problem) => ({
      id: 'heat-rules',
      severity: 'error',
      what: `${problem} (heat.rules: ${heat.rules})`,
      why: 'a running sidecar ignores the whole file and keeps the previous rules; without previous rules, it does not start',
      fix: 'correct the file',
    }));
  }
}
