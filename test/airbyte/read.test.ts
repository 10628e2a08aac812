import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AWKWARD_ROUND, type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { type Json, jsonText, streams as registry } from '../../src/index.js';
import { catalogOf, file, keyOf, type Run, read, run, servedKeys } from './harness.js';
import { errors, logs, only, records, states, statuses } from './protocol.js';

const STREAMS = registry.map(({ name }) => name);
let api: FixtureApi;
let first: Run;

beforeAll(async () => {
  api = await startFixtureApi({ sizes: [40, 0, AWKWARD_ROUND, 1], awkward: true });
  first = await read(api, { streams: STREAMS, config: { page_size: 100 } });
});
afterAll(async () => await api.close());

describe('a full read', () => {
  it('ends with 0 and reports no error', () => {
    expect(first.exitCode).toBe(0);
    expect(errors(first.messages)).toEqual([]);
  });

  it('holds every record of every stream once, in the order served', () => {
    for (const name of STREAMS) {
      expect(records(first.messages, name).map(keyOf)).toEqual([...servedKeys(api, name)]);
    }
    expect(records(first.messages, 'users').length).toBeGreaterThan(AWKWARD_ROUND);
    expect(records(first.messages, 'roles').length).toBeGreaterThan(200);
  });

  it('validates against the schemas that discover gave, and uses each of their columns', async () => {
    const { streams } = (await catalogOf(STREAMS)) as { streams: { stream: Stream }[] };
    const ajv = new Ajv({ allowUnionTypes: true, keywords: ['airbyte_type'] });
    formats.default(ajv);
    for (const { stream } of streams) {
      const validate = ajv.compile(stream.json_schema);
      const rows = records(first.messages, stream.name).map(({ data }) => data);
      expect(rows.filter((row) => !validate(row))).toEqual([]);
      const columns = Object.keys(stream.json_schema.properties);
      expect(columns.filter((column) => rows.every((row) => row[column] == null))).toEqual([]);
      expect(rows.flatMap(Object.keys).filter((column) => !columns.includes(column))).toEqual([]);
    }
  });

  it('keeps texts as served; what is not text is null, reported as such, and kept in extra', () => {
    const textsOf: Record<string, string[]> = {
      users: ['full_name', 'email', 'organization_role'],
      roles: ['name', 'description'],
    };
    const served = new Map<string, Record<string, unknown>>();
    for (const { uuid } of api.organizations()) {
      for (const name of Object.keys(textsOf)) {
        for (const record of api.records(name, String(uuid))) served.set(`${uuid} ${record.id}`, record);
      }
    }
    const wellFormed = (value: unknown) => JSON.parse(jsonText((value ?? null) as Json).toWellFormed());
    let nulled = 0;
    for (const record of Object.keys(textsOf).flatMap((name) => records(first.messages, name))) {
      const user = served.get(keyOf(record)) ?? {};
      const changed = new Set(record.meta?.changes.map(({ field }) => field));
      const extra = (record.data.extra ?? {}) as Record<string, unknown>;
      for (const name of textsOf[record.stream] ?? []) {
        if (changed.has(name)) {
          nulled += 1;
          expect(record.data[name]).toBeNull();
          expect(extra[name]).toEqual(wellFormed(user[name]));
        } else if (!isBroken(user[name])) expect(record.data[name]).toEqual(wellFormed(user[name]));
      }
      const unknown = Object.keys(user).filter((name) => !(name in record.data) || name === 'extra');
      expect(Object.keys(extra)).toEqual(expect.arrayContaining(unknown.filter((name) => !isBroken(name))));
    }
    expect(nulled).toBeGreaterThan(0);
  });

  it('sends times without an offset as UTC, keeps them as served in extra, and reports no loss', async () => {
    await using ordinary = await startFixtureApi({ organizations: 20, users: 20 });
    const { messages } = await read(ordinary, { streams: ['roles'] });
    const served = new Map(
      ordinary
        .organizations()
        .flatMap(({ uuid }) =>
          [...ordinary.records('roles', String(uuid))].map(({ id, updated_at }) => [
            `${uuid} ${id}`,
            updated_at,
          ]),
        ),
    );
    let naive = 0;
    for (const record of records(messages, 'roles')) {
      const text = served.get(keyOf(record));
      if (typeof text !== 'string' || text.endsWith('Z')) continue;
      naive += 1;
      expect(record.data).toMatchObject({ updated_at: `${text}Z`, extra: { updated_at: text } });
      expect(record.meta).toBeUndefined();
    }
    expect(naive).toBeGreaterThan(20);
  });

  it('sends STARTED, RUNNING and COMPLETE for each stream, and a last state with its count', () => {
    for (const name of STREAMS) {
      expect(statuses(first.messages, name).map(({ status }) => status)).toEqual([
        'STARTED',
        'RUNNING',
        'COMPLETE',
      ]);
      const all = states(first.messages, name);
      expect(all.at(-1)?.stream.stream_state).toMatchObject({ finished: true });
      const counted = all.reduce((sum, { sourceStats }) => sum + sourceStats.recordCount, 0);
      expect(counted).toBe(records(first.messages, name).length);
    }
  });

  it('estimates the records of a list of one page, whose number is known', () => {
    const estimates = only(first.messages, 'TRACE').flatMap(({ trace }) =>
      trace.type === 'ESTIMATE' ? [trace.estimate] : [],
    );
    expect(estimates).toEqual(
      ['organizations', 'api_keys'].map((name) => ({
        name,
        type: 'STREAM',
        row_estimate: servedKeys(api, name).size,
      })),
    );
  });

  it('is full again with the state of a finished read, and says why', async () => {
    const handedBack = only(first.messages, 'STATE').map(({ state }) => state);
    const second = await read(api, { streams: STREAMS, state: handedBack });
    expect(second.exitCode).toBe(0);
    for (const name of STREAMS) {
      const [before, after] = [first, second].map(({ messages }) => records(messages, name));
      expect(after?.map(({ data }) => data)).toEqual(before?.map(({ data }) => data));
      const last = Math.max(...(before ?? []).map(({ emitted_at }) => emitted_at));
      expect(after?.every(({ emitted_at }) => emitted_at > last)).toBe(true);
      expect(logs(second.messages, 'WARN')).toContainEqual(
        expect.stringMatching(new RegExp(`^${name}: starts over`)),
      );
    }
  });

  it('never shows the key', () => {
    expect(first.text).not.toContain(api.key);
  });
});

describe('a directory without anybody', () => {
  it.each([
    ['no organisation', []],
    ['only empty organisations', [0, 0]],
  ])('is complete with %s: statuses and states all the same', async (_, sizes) => {
    await using empty = await startFixtureApi({ sizes });
    const { exitCode, messages } = await read(empty);
    expect(exitCode).toBe(0);
    expect(records(messages, 'users')).toEqual([]);
    expect(statuses(messages, 'users').map(({ status }) => status)).toEqual([
      'STARTED',
      'RUNNING',
      'COMPLETE',
    ]);
    expect(states(messages, 'users').at(-1)).toMatchObject({
      stream: { stream_state: { finished: true } },
      sourceStats: { recordCount: 0 },
    });
  });
});

describe('the configured catalog', () => {
  it('selects streams', async () => {
    const { messages } = await read(api, { streams: ['users'] });
    expect(records(messages, 'organizations')).toEqual([]);
    expect(records(messages, 'users').length).toBe(servedKeys(api).size);
  });

  it('selects columns; the key is always there', async () => {
    const catalog = await catalogOf(['organizations', 'users'], (configured) => ({
      ...configured,
      stream: { ...configured.stream, json_schema: { properties: { created_at: {}, no_such: {} } } },
    }));
    const { exitCode, messages } = await read(api, { catalog });
    expect(exitCode).toBe(0);
    const columns = new Set(records(messages, 'users').flatMap(({ data }) => Object.keys(data)));
    expect([...columns].sort()).toEqual(['created_at', 'id', 'organization_uuid']);
    const nulled = records(messages, 'users').filter(({ meta }) => meta !== undefined);
    expect(nulled.length).toBeGreaterThan(0);
  });

  it('may name no columns at all: then all are selected', async () => {
    const catalog = await catalogOf(['organizations', 'users'], (configured) => ({
      ...configured,
      stream: { ...configured.stream, json_schema: {} },
    }));
    const { messages } = await read(api, { catalog });
    expect(Object.keys(records(messages, 'users')[0]?.data ?? {})).toHaveLength(8);
  });

  it('asks for incremental, and gets a full refresh with a warning', async () => {
    const catalog = await catalogOf(['organizations', 'users'], (configured) => ({
      ...configured,
      sync_mode: 'incremental',
    }));
    const { exitCode, messages } = await read(api, { catalog });
    expect(exitCode).toBe(0);
    expect(records(messages, 'users').length).toBe(servedKeys(api).size);
    expect(logs(messages, 'WARN')).toContainEqual(expect.stringMatching(/^users: .*full refresh/));
  });

  it.each([
    ['an unknown stream', (name: string) => ({ stream: { name: `${name}s` } })],
    ['an unknown sync mode', (name: string) => ({ stream: { name }, sync_mode: 'cdc' })],
  ])('with %s leaves that stream INCOMPLETE and reads the other', async (_, change) => {
    const full = (await catalogOf()) as { streams: { stream: { name: string } }[] };
    const [organizations, users] = full.streams;
    const broken = { ...organizations, ...change('organizations') };
    const { exitCode, messages } = await read(api, { catalog: { streams: [broken, users] } });
    expect(exitCode).toBe(1);
    const { name } = broken.stream as { name: string };
    expect(statuses(messages, name).map(({ status }) => status)).toEqual(['INCOMPLETE']);
    expect(errors(messages)).toEqual([
      expect.objectContaining({ failure_type: 'config_error', stream_descriptor: { name } }),
    ]);
    expect(statuses(messages, 'users').at(-1)?.status).toBe('COMPLETE');
  });

  it.each([
    ['no streams', { streams: [] }],
    ['another shape', { stream: 'users' }],
    ['nothing', null],
  ])('with %s is refused', async (_, catalog) => {
    const args = ['read', '--config', file({ api_key: 'any' }), '--catalog', file(JSON.stringify(catalog))];
    const { exitCode, messages } = await run(args);
    expect(exitCode).toBe(1);
    expect(errors(messages)[0]?.failure_type).toBe('config_error');
  });

  it('that names a stream twice is refused: its rows would be doubled', async () => {
    const { streams } = await catalogOf();
    const { exitCode, messages } = await read(api, { catalog: { streams: [...streams, streams[0]] } });
    expect(exitCode).toBe(1);
    expect(errors(messages)[0]?.message).toContain('organizations');
  });
});

interface Stream {
  name: string;
  json_schema: { properties: Record<string, unknown> };
}

/** Lone surrogates are repaired: see the tests of rows. */
const isBroken = (value: unknown): boolean => JSON.stringify(value ?? null).match(/\\ud[89a-f]/i) !== null;
