import type { Config } from '../service/config.ts';
import type { Command } from './command.ts';
import { configure } from './configure.ts';

export const check: Command = {
  about: 'says what is wrong with the configuration, and where events would go',
  options: {},
  configured: true,
  async run(context) {
    const config = configure(context);
    process.stdout.write(`${route(config)}\nThe configuration is good.\n`);
    return 0;
  },
};

function route({ kafka, elasticsearch, intake, duckdb }: Config): string {
  const index =
    elasticsearch.node === undefined ? `DuckDB ${duckdb.path}` : `Elasticsearch ${elasticsearch.node}`;
  const steps = kafka.brokers.length > 0 ? [`Kafka ${kafka.brokers.join(',')}`, 'sink', index] : [index];
  return ['nginx', intake.socket, ...steps].join(' → ');
}
