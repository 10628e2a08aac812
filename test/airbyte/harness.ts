import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { runSource } from '../../connectors/airbyte/source.js';
import type { FixtureApi, ServedJson } from '../../fixtures/api/index.js';
import { type Clock, type Stream, streams, systemClock } from '../../src/index.js';
import { badges } from '../streams/made-up/badges.js';
import { grants } from '../streams/made-up/grants.js';
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

/** A configuration for a fixture: no limit of our own, and no retries. */
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
  /** Gets what is written, as it is written. */
  onChunk?: (text: string) => void;
  /** What the source can read; default: its registry. */
  registry?: readonly Stream[];
}

/** Runs the source in this process. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const {
    clock = systemClock,
    signal = new AbortController().signal,
    environment = {},
    onChunk = () => {},
    registry = streams,
  } = options;
  const chunks: Buffer[] = [];
  const stdout = new Writable({
    write(chunk: Buffer, _, callback) {
      chunks.push(chunk);
      onChunk(chunk.toString());
      callback();
    },
  });
  const exitCode = await runSource(args, { stdout, environment, signal, clock, streams: registry });
  const text = Buffer.concat(chunks).toString();
  return { exitCode, messages: parseLines(text), text };
}

/** What a sync reads unless a person chooses otherwise. */
const DEFAULT_STREAMS: readonly string[] = ['organizations', 'users'];

/** A catalog that asks for some of the streams that the source offers, each changed at will. */
export async function catalogOf(
  names: readonly string[] = DEFAULT_STREAMS,
  change: (configured: Configured) => object = (same) => same,
  registry?: readonly Stream[],
) {
  const { messages } = await run(
    ['discover', '--config', file({ api_key: 'any' })],
    registry ? { registry } : {},
  );
  const offered = only(messages, 'CATALOG')[0]?.catalog.streams ?? [];
  const asked = names.map((name) => {
    const stream = offered.find((one) => one.name === name);
    if (!stream) throw new Error(`The source offers no stream ${name}.`);
    return change({ stream, sync_mode: 'full_refresh', destination_sync_mode: 'overwrite' });
  });
  return { streams: asked };
}

interface Configured {
  stream: { name: string; json_schema: Record<string, unknown> };
  sync_mode: string;
  destination_sync_mode: string;
}

export interface ReadOptions extends RunOptions {
  config?: object;
  /** The streams to read; default: organizations and users. */
  streams?: readonly string[];
  /** A catalog instead of `streams`. */
  catalog?: unknown;
  /** What the state file holds; undefined: there is none. */
  state?: unknown;
}

/** Reads what a fixture serves. */
export async function read(api: FixtureApi, options: ReadOptions = {}): Promise<Run> {
  const { config = {}, streams, catalog, state, ...rest } = options;
  return await run(
    [
      ...['read', '--config', file(configFor(api, config))],
      ...['--catalog', file(catalog ?? (await catalogOf(streams, undefined, rest.registry)))],
      ...(state === undefined ? [] : ['--state', file(state)]),
    ],
    rest,
  );
}

/** Every stream that these tests read. */
const KNOWN = [...streams, badges, grants];

function streamNamed(name: string): Stream {
  const stream = KNOWN.find((one) => one.name === name);
  if (!stream) throw new Error(`No test reads a stream ${name}.`);
  return stream;
}

/** The ids in the path of each list of a stream. */
const listsOf = (api: FixtureApi, { parent }: Stream): string[][] =>
  parent
    ? listsOf(api, parent.stream).flatMap((ids) =>
        [...api.records(parent.stream.name, ...ids)].map((record) => [
          ...ids,
          String(record[parent.stream.key[0] ?? '']),
        ]),
      )
    : [[]];

/** What a fixture serves of a stream, in the order served, by the primary key. */
export function served(api: FixtureApi, name: string): Map<string, ServedJson> {
  const stream = streamNamed(name);
  const records = listsOf(api, stream).flatMap((ids) =>
    [...api.records(name, ...ids)].map(
      (record) => [[...ids, ...stream.key.map((key) => record[key])].join(' '), record] as const,
    ),
  );
  return new Map(records);
}

/** The primary keys of what a fixture serves of a stream, in the order served. */
export const servedKeys = (api: FixtureApi, name = 'users'): Set<string> => new Set(served(api, name).keys());

/** The primary key of a record. */
export const keyOf = ({ stream, data }: { stream: string; data: Record<string, unknown> }): string =>
  streamNamed(stream)
    .schema.primaryKey.map((column) => data[column])
    .join(' ');

/** A clock that differs from the real one by so many milliseconds. */
export const clockOff = (ms: number): Clock => ({ ...systemClock, now: () => Date.now() + ms });
