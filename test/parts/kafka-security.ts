import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Addresses and credentials of a broker's secured listeners. */
export type KafkaSecurity = {
  /** `host:port` each: TLS; TLS with login; login without TLS. */
  tls: string[];
  saslTls: string[];
  sasl: string[];
  /** The certificate of the CA that signed the broker's certificate. */
  caFile: string;
  ca: string;
  /** A user that exists for every mechanism. */
  username: string;
  password: string;
};

export const SECURE_LISTENERS = ['SSL', 'SASL_SSL', 'SASL_PLAINTEXT'] as const;

/** For a broker with an authorizer: connections without a login, as from the broker itself and from tests, may do everything. */
export const AUTHORIZER = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS',
};

const LOGIN = { username: 'hotitem', password: 'sesame-of-the-test' };
const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'];
const MODULES = 'org.apache.kafka.common.security';

/** Creates a CA and a certificate for 127.0.0.1 and localhost in `folder`. */
export function makeSecurity(folder: string, ports: number[]): KafkaSecurity {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const key = ['-newkey', 'rsa:2048', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...key,
    '-days',
    '2',
    '-subj',
    '/CN=test authority',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
  );
  openssl('req', ...key, '-subj', '/CN=localhost', '-keyout', 'broker.key', '-out', 'broker.csr');
  writeFileSync(join(folder, 'names.cnf'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names.cnf'];
  openssl('x509', '-req', '-in', 'broker.csr', '-days', '2', ...signed, '-out', 'broker.pem');
  const pair = ['broker.key', 'broker.pem'].map((name) => readFileSync(join(folder, name), 'utf8'));
  writeFileSync(join(folder, 'keystore.pem'), pair.join(''), { mode: 0o600 });
  const [tls, saslTls, sasl] = ports.map((port) => [`127.0.0.1:${port}`]);
  const caFile = join(folder, 'ca.pem');
  return {
    tls: tls ?? [],
    saslTls: saslTls ?? [],
    sasl: sasl ?? [],
    caFile,
    ca: readFileSync(caFile, 'utf8'),
    ...LOGIN,
  };
}

/** Lines of server.properties for the listeners, except their addresses. */
export function securityProperties(folder: string): Record<string, string> {
  const { username, password } = LOGIN;
  const listeners = SECURE_LISTENERS.filter((name) => name.startsWith('SASL'));
  const logins = listeners.flatMap((name) => {
    const prefix = `listener.name.${name.toLowerCase()}`;
    return [
      [
        `${prefix}.plain.sasl.jaas.config`,
        `${MODULES}.plain.PlainLoginModule required user_${username}="${password}";`,
      ],
      ...MECHANISMS.slice(1).map((mechanism) => [
        `${prefix}.${mechanism.toLowerCase()}.sasl.jaas.config`,
        `${MODULES}.scram.ScramLoginModule required;`,
      ]),
    ];
  });
  return {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': join(folder, 'keystore.pem'),
    'sasl.enabled.mechanisms': MECHANISMS.join(','),
    ...Object.fromEntries(logins),
  };
}

/** For `kafka-storage format`: SCRAM users are stored in the metadata of the cluster. */
export function scramUsers(): string[] {
  const { username, password } = LOGIN;
  return MECHANISMS.slice(1).flatMap((mechanism) => [
    '--add-scram',
    `${mechanism}=[name=${username},password=${password}]`,
  ]);
}
