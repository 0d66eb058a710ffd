import type { Decisions } from '../detect/decisions.ts';
import type { Heat } from '../detect/heat.ts';
import type { Metrics } from '../service/metrics.ts';
import type { FrozenFile } from './frozen-file.ts';
import type { HotFolder } from './hot-folder.ts';
import type { HEAT_METRICS } from './metrics.ts';
import type { RulesWatch } from './rules-watch.ts';

export type Followed = {
  heat: Heat;
  decisions: Decisions;
  folder: HotFolder;
  frozen: FrozenFile;
  watch: RulesWatch;
};

/** Connects the metrics that are read from the parts when they are exported. */
export function followMetrics(metrics: Metrics<typeof HEAT_METRICS>, parts: Followed): void {
  const { heat, decisions, folder, frozen, watch } = parts;
  for (const signal of ['busy', 'surge', 'concentrated', 'pin'] as const)
    metrics
      .of('hot_items', { signal })
      .follow(() => decisions.hot().filter((one) => one.signal === signal).length);
  metrics.of('heat_observed_total').follow(() => heat.stats().observed);
  metrics.of('heat_late_total').follow(() => heat.stats().late);
  metrics.of('heat_tracked').follow(() => heat.stats().tracked);
  metrics.of('heat_promoted_total').follow(() => heat.stats().promoted);
  metrics.of('heat_held').follow(() => decisions.heldCount());
  metrics.of('heat_frozen').follow(() => (frozen.state() === undefined ? 0 : 1));
  metrics.of('hot_folder_files').follow(() => folder.stats().files);
  metrics.of('hot_folder_age_seconds').follow(() => folder.stats().ageMs / 1_000);
  metrics.of('hot_folder_faults_total').follow(() => folder.stats().faults);
  metrics.of('hot_folder_odd_total').follow(() => folder.stats().odd);
  metrics.of('heat_rules_rejected').follow(() => (watch.state().problems.length > 0 ? 1 : 0));
}
