import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { ConfigError } from '../../../src/index.js';
import { statements } from '../statements.js';
import type { PostgresAddress } from './address.js';
import { postgresError } from './error.js';

/** A connection to a PostgreSQL; errors of the server and of the line come out as ours. */
export interface Postgres {
  rows(sql: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  /** Feeds a file to `COPY … FROM STDIN`. @returns the rows taken */
  copy(sql: string, path: string): Promise<number>;
  close(): Promise<void>;
}

/** The server counts chunks, not bytes: a row each costs it three times the work. */
const CHUNK_BYTES = 1024 * 1024;
const CONNECT_LIMIT_MS = 30_000;

/** @throws ConfigError `pg_missing`, and what `postgresError` makes of the driver's */
export async function openPostgres(address: PostgresAddress, signal: AbortSignal): Promise<Postgres> {
  const { Client, copyFrom } = await load();
  const client = new Client({
    ...address,
    application_name: 'claude-compliance-connector',
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    keepAlive: true,
  });
  client.on('error', () => {}); // the statement that waits for an answer throws it
  const doing = statements(signal, (error) => postgresError(error, address));
  const end = (): void => {
    client.end().catch(() => {});
  };
  await doing(async () => await client.connect());
  signal.addEventListener('abort', end);
  return {
    rows: (sql, values = []) => doing(async () => (await client.query(sql, [...values])).rows),
    copy: (sql, path) =>
      doing(async () => {
        const copying = client.query(copyFrom(sql));
        await pipeline(createReadStream(path, { highWaterMark: CHUNK_BYTES }), copying);
        return copying.rowCount;
      }),
    async close() {
      signal.removeEventListener('abort', end);
      await client.end().catch(() => {});
    },
  };
}

async function load() {
  try {
    const [{ default: pg }, copyStreams] = await Promise.all([import('pg'), import('pg-copy-streams')]);
    return { Client: pg.Client, copyFrom: copyStreams.from };
  } catch (cause) {
    throw new ConfigError(
      'Loading into PostgreSQL needs two packages that are not installed here: npm install pg@8 pg-copy-streams@7.',
      { code: 'pg_missing', cause },
    );
  }
}
