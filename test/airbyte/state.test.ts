import { describe, expect, it } from 'vitest';
import { checkpoints } from '../../connectors/airbyte/checkpoints.js';
import type { Message } from '../../connectors/airbyte/messages.js';
import { openPosition, type Position } from '../../connectors/airbyte/position.js';
import { listState, listsState, parseStates, resumeState } from '../../connectors/airbyte/state.js';
import { type Clock, type ParentKey, systemClock } from '../../src/index.js';

/** As long as those of a stream whose parent has a parent. */
const parents = (count: number): ParentKey[] =>
  Array.from({ length: count }, (_, n) => ({
    organization_uuid: '0f8fad5b-d9cb-469f-a165-000000000000',
    role_id: `rbac_role_01${String(n).padStart(24, '0')}`,
  }));
const position = (listed: readonly ParentKey[], from?: Parameters<typeof openPosition>[1]): Position => {
  const opened = openPosition(listed, from);
  if (!opened) throw new Error('the list is a different one');
  return opened;
};

describe('the position in the parents', () => {
  const listed = parents(10);

  it('continues after what is done', () => {
    const before = position(listed);
    for (const parent of before.rest.slice(0, 4)) before.settle(parent, 'complete');
    expect(position(listed, before.toState()).rest).toEqual(listed.slice(4));
  });

  it('begins with what failed', () => {
    const before = position(listed);
    for (const [at, parent] of before.rest.slice(0, 6).entries()) {
      before.settle(parent, at === 2 || at === 4 ? 'failed' : 'complete');
    }
    const after = position(listed, before.toState());
    expect(after.rest).toEqual([listed[2], listed[4], ...listed.slice(6)]);
    after.settle(listed[2] as ParentKey, 'complete');
    expect(position(listed, after.toState()).rest).toEqual([listed[4], ...listed.slice(6)]);
  });

  it('counts lists that the API does not serve, once each, also where they failed before', () => {
    const before = position(listed);
    for (const [at, parent] of before.rest.slice(0, 4).entries()) {
      before.settle(parent, (['complete', 'failed', 'unavailable', 'failed'] as const)[at] ?? 'complete');
    }
    const between = position(listed, before.toState());
    between.settle(listed[1] as ParentKey, 'unavailable');
    const after = position(listed, between.toState());
    expect(after.rest).toEqual([listed[3], ...listed.slice(4)]);
    expect(after.toState()).toMatchObject({ done: 4, failed: [3], unavailable: 2 });
  });

  it('does not count a parent that is gone, as the next list lacks it', () => {
    const before = position(listed);
    before.settle(listed[0] as ParentKey, 'complete');
    before.settle(listed[1] as ParentKey, 'gone');
    before.settle(listed[2] as ParentKey, 'complete');
    const without = listed.filter((_, at) => at !== 1);
    expect(position(without, before.toState()).rest).toEqual(listed.slice(3));
  });

  it('allows for parents that were added or removed after it', () => {
    const before = position(listed);
    for (const parent of listed.slice(0, 3)) before.settle(parent, 'complete');
    const added = parents(99).slice(-1);
    const changed = [...listed.slice(0, 5), ...added, ...listed.slice(7)];
    expect(position(changed, before.toState()).rest).toEqual(changed.slice(3));
  });

  it.each([
    ['added', (list: ParentKey[]) => list.splice(1, 0, ...parents(99).slice(-1))],
    ['removed', (list: ParentKey[]) => list.splice(1, 1)],
    ['moved', (list: ParentKey[]) => list.splice(0, 2, ...list.slice(0, 2).reverse())],
    ['cut', (list: ParentKey[]) => list.splice(2)],
  ])('is not valid when a parent before it was %s', (_, change) => {
    const before = position(listed);
    for (const parent of listed.slice(0, 5)) before.settle(parent, 'complete');
    const changed = [...listed];
    change(changed);
    expect(openPosition(changed, before.toState())).toBeUndefined();
  });

  it('stays below 64 KiB for 10,000 parents, whatever becomes of them', () => {
    const many = parents(10_000);
    for (const verdictOf of [
      () => 'complete' as const,
      () => 'failed' as const,
      (at: number) => (at % 2 === 0 ? ('failed' as const) : ('complete' as const)),
    ]) {
      const read = position(many);
      for (const [at, parent] of many.entries()) read.settle(parent, verdictOf(at));
      const state = read.toState();
      expect(Buffer.byteLength(JSON.stringify(state))).toBeLessThan(48 * 1024);
      const left = new Set(position(many, state).rest);
      expect(many.filter((parent, at) => verdictOf(at) === 'failed' && !left.has(parent))).toEqual([]);
    }
  });
});

describe('a state file', () => {
  const stream = { stream_descriptor: { name: 'users', namespace: null }, stream_state: { version: 1 } };
  it.each([
    ['a list', [{ type: 'STREAM', stream }]],
    ['a single object', { type: 'STREAM', stream }],
    ['members filled with null', [{ type: 'STREAM', stream, global: null, data: null, sourceStats: null }]],
    ['messages in their envelope', [{ type: 'STATE', state: { type: 'STREAM', stream } }]],
  ])('may be %s', (_, json) => {
    const { byStream, isForeign } = parseStates(JSON.stringify(json));
    expect([...byStream]).toEqual([['users', { version: 1 }]]);
    expect(isForeign).toBe(false);
  });

  it.each(['', ' \n', '[]', '{}', 'null', '[null]', '[{}]'])('holds no state when it is %j', (text) => {
    expect(parseStates(text)).toEqual({ byStream: new Map(), isForeign: false });
  });

  it.each(['{"users": {"cursor": 1}}', '[{"type":"GLOBAL","global":{}}]', '{"type":', '42'])(
    'is foreign when it is %j',
    (text) => {
      expect(parseStates(text)).toEqual({ byStream: new Map(), isForeign: true });
    },
  );
});

describe('resuming from a state', () => {
  const now = Date.UTC(2026, 10, 24, 0, 30);
  const state = { version: 1, snapshot_date: '2026-11-23', finished: false, page: 'token' };
  const beganAgo = (ms: number) => ({ ...state, started_at: new Date(now - ms).toISOString() });
  const hour = 3_600_000;

  it('works within 24 hours, with the date that the read began with', () => {
    expect(resumeState(beganAgo(hour), listState, now).from?.snapshot_date).toBe('2026-11-23');
    expect(resumeState(beganAgo(24 * hour - 1), listState, now).from).toBeDefined();
  });

  it.each([
    ['older', beganAgo(24 * hour)],
    ['from the future', beganAgo(-24 * hour)],
    ['finished', { ...beganAgo(hour), finished: true }],
    ['of another version', { ...beganAgo(hour), version: 2 }],
    ['broken', { ...beganAgo(hour), page: 7 }],
    ['foreign', { cursor: '2026-11-23' }],
    ['of another shape', { ...beganAgo(hour), organization: 'o' }],
    ['of a stream that has a list for each parent', { ...beganAgo(hour), page: undefined, done: 3 }],
  ])('is refused with a reason when it is %s', (_, json) => {
    const { from, startsOver } = resumeState(json, listState, now);
    expect(from).toBeUndefined();
    expect(startsOver).toMatch(/^its state /);
  });

  it('of a list for each parent keeps the parent by its columns', () => {
    const under_way = { parent: { organization_uuid: 'o', role_id: 'r' }, page: 'token' };
    const json = { ...beganAgo(hour), page: undefined, done: 3, digest: 'd', failed: [1], under_way };
    expect(resumeState(JSON.parse(JSON.stringify(json)), listsState, now).from).toMatchObject({
      done: 3,
      under_way,
    });
    const old = { organization_uuid: 'o', page: 'token' };
    expect(
      resumeState({ ...beganAgo(hour), page: undefined, under_way: old }, listsState, now).from,
    ).toBeUndefined();
  });

  it.each([undefined, null, {}])('needs no reason when there is none (%j)', (json) => {
    expect(resumeState(json, listState, now)).toEqual({});
  });
});

describe('the states of a stream', () => {
  const sent: Message[] = [];
  let elapsed = 0;
  const clock: Clock = { ...systemClock, elapsed: () => elapsed };
  const output = {
    write: (message: Message) => void sent.push(message),
    send: async (message: Message) => void sent.push(message),
    sendRecords: async () => {},
    flush: async () => {},
  };
  const sentSince = (count: number) =>
    sent
      .slice(count)
      .map((message) => (message.type === 'STATE' ? message.state.stream.stream_state.at : message.type));

  it('are sent once a second at most, except the last', async () => {
    const states = checkpoints('users', output, clock);
    for (let at = 0; at < 35; at += 1, elapsed += 100) {
      states.count(1);
      await states.offer({ at });
    }
    await states.end({ at: 'last' });
    expect(sentSince(0)).toEqual([0, 10, 20, 30, 'last']);
    const counts = sent.map((message) =>
      message.type === 'STATE' ? message.state.sourceStats.recordCount : 0,
    );
    expect(counts).toEqual([1, 10, 10, 10, 4]);
  });

  it('are not repeated after more records, and are repeated in a long wait', async () => {
    const before = sent.length;
    const states = checkpoints('users', output, clock);
    await states.offer({ at: 1 });
    elapsed += 5_000;
    states.count(1);
    await states.offer({ at: 1 });
    states.heartbeat();
    expect(sentSince(before)).toEqual([1]);
    elapsed += 15 * 60_000;
    await states.offer({ at: 2 });
    states.heartbeat();
    elapsed += 15 * 60_000;
    states.heartbeat();
    expect(sentSince(before)).toEqual([1, 2, 2]);
  });
});
