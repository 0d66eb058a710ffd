import {
  BigValueGraphMode,
  GraphDrawStyle,
  StackingConfigBuilder,
  StackingMode,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type Dashboard,
  DashboardBuilder,
  DatasourceVariableBuilder,
  type Panel as GrafanaPanel,
  MappingType,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { type Panel, ROWS, type Row } from './panels.ts';

/** Grafana's grid has 24 columns. */
const WIDTH = 24;
const HEIGHT = { number: 4, time: 8 };
const SOURCE = { type: 'prometheus', uid: '$datasource' };

/** Grafana's dashboard, which is built into dist/grafana/hotitem.json. Its ids are fixed: a later import replaces it. */
export function createDashboard(): Dashboard {
  const board = new DashboardBuilder('hotitem')
    .uid('hotitem')
    .description('Views from nginx to the index, hot items, and what nginx keeps of them.')
    .tags(['hotitem'])
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .readonly()
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'))
    .withVariable(
      new QueryVariableBuilder('instance')
        .label('Service')
        .datasource(SOURCE)
        .query('label_values(hotitem_ready, instance)')
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .multi(true)
        .includeAll(true)
        .allValue('.*'),
    );
  for (const row of ROWS) addRow(board, row);
  return board.build();
}

function addRow(board: DashboardBuilder, { title, panels }: Row): void {
  board.withRow(new RowBuilder(title));
  for (const [index, panel] of panels.entries())
    board.withPanel({ build: () => build(panel, spanOf(index)) });

  /** Numbers side by side; of what is drawn over time two or three. */
  function spanOf(index: number): number {
    const [first] = panels;
    if (first?.show === 'number') return Math.floor(WIDTH / panels.length);
    const inLine = panels.length % 3 === 0 ? 3 : 2;
    return index === panels.length - 1 && panels.length % inLine === 1 ? WIDTH : WIDTH / inLine;
  }
}

function build(panel: Panel, span: number): GrafanaPanel {
  const builder = panel.show === 'number' ? number() : overTime(panel.show);
  builder.title(panel.title).description(panel.about).datasource(SOURCE).unit(panel.unit).span(span);
  if (panel.alarm !== undefined) builder.thresholds(thresholds(panel.alarm));
  if (panel.words !== undefined) builder.mappings([mapping(panel.words)]);
  for (const [index, { expr, legend }] of panel.queries.entries()) {
    builder.withTarget(
      new DataqueryBuilder()
        .datasource(SOURCE)
        .expr(expr)
        .legendFormat(legend)
        .refId(String.fromCharCode(65 + index)),
    );
  }
  return builder.build();
}

function number(): StatBuilder {
  return new StatBuilder().height(HEIGHT.number).graphMode(BigValueGraphMode.None);
}

function overTime(show: 'lines' | 'stack'): TimeBuilder {
  const builder = new TimeBuilder().height(HEIGHT.time).drawStyle(GraphDrawStyle.Line).min(0);
  if (show === 'lines') return builder;
  return builder.fillOpacity(30).stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
}

function thresholds({ at, below }: NonNullable<Panel['alarm']>): ThresholdsConfigBuilder {
  const [first, then] = below ? ['red', 'green'] : ['green', 'red'];
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([
    { value: null, color: first },
    { value: at, color: then },
  ]);
}

function mapping(words: Record<string, string>): ValueMapping {
  const options = Object.entries(words).map(([value, text], index) => [value, { text, index }]);
  return { type: MappingType.ValueToText, options: Object.fromEntries(options) };
}
