import type { Config } from '../../service/config/config.ts';
import type { Finding } from '../../service/finding.ts';
import { controlFindings } from './control-rules.ts';
import { fileFindings } from './file-rules.ts';
import { heatFindings } from './heat-rules.ts';
import { homeFindings } from './home-rules.ts';
import { stateFindings } from './state-rules.ts';

/** Findings on a valid configuration: its files, their permissions, and the rules that they name. */
export async function configFindings(config: Config): Promise<Finding[]> {
  return [
    ...fileFindings(config.files, process.getuid?.() ?? 0),
    ...homeFindings(config),
    ...stateFindings(config),
    ...(await heatFindings(config)),
    ...controlFindings(config),
  ];
}
