import { type Failure, redact } from '../../../src/index.js';
import { WarehouseError } from '../error.js';
import type { PostgresAddress } from './address.js';

/** How a server is named in messages: never with a user, who may be a person, nor a password. */
export const describePostgres = ({ host, port, database }: PostgresAddress): string =>
  `PostgreSQL at ${host}:${port}${database === undefined ? '' : `/${database}`}`;

/** By the beginning of a SQLSTATE, or of a code of Node's: whose fault it is, and what to try. */
const ADVICE: readonly [prefix: string, failure: Failure, advice: string][] = [
  ['28', 'config', 'Check the user and the password (PGUSER and PGPASSWORD, or DATABASE_URL).'],
  ['3D', 'config', 'Make the database, or name another one.'],
  [
    '42501',
    'config',
    'The user needs CREATE on the database, or on --schema, and must own the tables there.',
  ],
  ['42', 'config', 'Something else has a name or a shape of our tables: choose another --schema.'],
  ['55P03', 'transient', 'Somebody has been reading the tables for a minute. Run the same command again.'],
  ['08', 'transient', 'Run the same command again.'],
  ['40', 'transient', 'Run the same command again.'],
  [
    '53',
    'transient',
    'The server is short of room or connections: make some, then run the same command again.',
  ],
  ['57', 'transient', 'The server is stopping or starting. Run the same command again.'],
  ['22', 'system', 'A value is not one that the server holds; please report it.'],
  ['23', 'system', 'The rows break a key of the table: the snapshot holds one twice. Take it again.'],
  ['ENOTFOUND', 'config', 'Check the name of the host.'],
  ['ERR_TLS', 'config', 'Check the host name in its certificate, or PGSSLMODE.'],
  ['SELF_SIGNED', 'config', 'Name its authority by PGSSLROOTCERT.'],
  ['DEPTH_ZERO', 'config', 'Name its authority by PGSSLROOTCERT.'],
  ['UNABLE_TO', 'config', 'Name its authority by PGSSLROOTCERT.'],
  ['CERT_', 'config', 'Its certificate does not hold: check its dates and its authority.'],
  ['E', 'transient', 'Check that it runs and can be reached, then run the same command again.'],
];

/** Classes whose messages quote the rows, which are personal data. */
const QUOTES_DATA = /^2[23]/;

/** What the driver throws as an error of ours: with the server's words where they cannot hold data, without any secret. */
export function postgresError(cause: unknown, address: PostgresAddress): WarehouseError {
  const { code = '', message } = cause as Error & { code?: string };
  const lacksTls = /does not support SSL/.test(message);
  const [, failure, advice] = ADVICE.find(([prefix]) => code.startsWith(prefix)) ?? [
    '',
    lacksTls ? ('config' as const) : ('transient' as const),
    lacksTls ? 'It has no TLS: allow plain text by PGSSLMODE=disable.' : 'Run the same command again.',
  ];
  const said = QUOTES_DATA.test(code) ? '' : `: ${redact(message, [address.password ?? ''])}`;
  const sign = code === '' ? '' : ` (${code})`;
  return new WarehouseError(
    `${describePostgres(address)} did not take the load${sign}${said.replace(/\.$/, '')}. Nothing was changed. ${advice}`,
    { code: 'postgres_failed', failure },
  );
}
