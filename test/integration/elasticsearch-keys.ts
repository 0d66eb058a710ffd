import type { ElasticsearchOptions } from '../parts/elasticsearch.ts';

/** Of an Elasticsearch that keeps API keys, and shows its health to anybody. */
export const WITH_KEYS: ElasticsearchOptions = {
  apiKeys: true,
  settings: { 'xpack.security.enabled': 'true', 'xpack.security.authc.anonymous.roles': 'anyone' },
  files: {
    'roles.yml': 'anyone:\n  cluster: [monitor]\n',
    users: 'administrator:sesame-sesame\n',
    users_roles: 'superuser:administrator\n',
  },
};

/** The login of the administrator there, for the header `authorization`. */
export const ADMINISTRATOR: string = `Basic ${Buffer.from('administrator:sesame-sesame').toString('base64')}`;
