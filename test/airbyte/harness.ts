import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { runSource } from '../../connectors/airbyte/source.js';
import type { FixtureApi } from '../../fixtures/api/index.js';
import { type Clock, systemClock } from '../../src/index.js';
import { type Message, only, parseLines } from './protocol.js';

const folder = mkdtempSync(join(tmpdir(), 'airbyte-'));
let files = 0;

/** A file that holds a text as it is, or anything else as JSON. @returns its path, with an extension of its own kind */
export function file(content: unknown): string {
  files += 1;
  const path = join(folder, `${files}.txt`);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

/** A configuration for a fixture: no limit of our own, and no patience. */
export const configFor = (api: Pick<FixtureApi, 'url' | 'key'>, more: object = {}) => ({
  api_key: api.key,
  base_url: api.url,
  requests_per_minute: 0,
  max_retries: 0,
  ...more,
});

/** What a run wrote, every line checked against the protocol. */
export interface Run {
  exitCode: number;
  messages: Message[];
  text: string;
}

export interface RunOptions {
  clock?: Clock;
  signal?: AbortSignal;
  environment?: NodeJS.ProcessEnv;
  /** Told of what is written as it is written. */
  onChunk?: (text: string) => void;
}

/** Runs the source in this process. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const {
    clock = systemClock,
    signal = new AbortController().signal,
    environment = {},
    onChunk = () => {},
  } = options;
  const chunks: Buffer[] = [];
  const stdout = new Writable({
    write(chunk: Buffer, _, callback) {
      chunks.push(chunk);
      onChunk(chunk.toString());
      setImmediate(callback);
    },
  });
  const exitCode = await runSource(args, { stdout, environment, signal, clock });
  const text = Buffer.concat(chunks).toString();
  return { exitCode, messages: parseLines(text), text };
}

/** What the source offers, as a catalog that asks for all of it. */
export async function fullCatalog(change: (configured: Configured) => object = (same) => same) {
  const { messages } = await run(['discover', '--config', file({ api_key: 'any' })]);
  const [catalog] = only(messages, 'CATALOG');
  const streams = catalog?.catalog.streams ?? [];
  return {
    streams: streams.map((stream) =>
      change({ stream, sync_mode: 'full_refresh', destination_sync_mode: 'overwrite' }),
    ),
  };
}

interface Configured {
  stream: { name: string; json_schema: Record<string, unknown> };
  sync_mode: string;
  destination_sync_mode: string;
}

export interface ReadOptions extends RunOptions {
  config?: object;
  catalog?: unknown;
  /** What the state file holds; undefined: there is none. */
  state?: unknown;
}

/** Reads everything that a fixture serves, unless told otherwise. */
export async function read(api: FixtureApi, options: ReadOptions = {}): Promise<Run> {
  const { config = {}, catalog, state, ...rest } = options;
  return await run(
    [
      ...['read', '--config', file(configFor(api, config))],
      ...['--catalog', file(catalog ?? (await fullCatalog()))],
      ...(state === undefined ? [] : ['--state', file(state)]),
    ],
    rest,
  );
}

/** The membership keys that a fixture serves. */
export function servedKeys(api: FixtureApi): Set<string> {
  const keys = new Set<string>();
  for (const { uuid } of api.organizations()) {
    for (const { id } of api.users(String(uuid))) keys.add(`${uuid} ${id}`);
  }
  return keys;
}

/** The key of a user's record. */
export const keyOf = ({ data }: { data: Record<string, unknown> }): string =>
  `${data.organization_uuid} ${data.id}`;

/** A clock that is as far from the real one as told. */
export const clockOff = (ms: number): Clock => ({ ...systemClock, now: () => Date.now() + ms });
