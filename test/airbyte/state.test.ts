import { describe, expect, it } from 'vitest';
import { checkpoints } from '../../connectors/airbyte/checkpoints.js';
import type { Message } from '../../connectors/airbyte/messages.js';
import { openPosition, type Position } from '../../connectors/airbyte/position.js';
import { organizationsState, parseStates, takeUp } from '../../connectors/airbyte/state.js';
import { type Clock, systemClock } from '../../src/index.js';

const uuids = (count: number) =>
  Array.from({ length: count }, (_, n) => `0f8fad5b-d9cb-469f-a165-${String(n).padStart(12, '0')}`);
const position = (listed: readonly string[], from?: Parameters<typeof openPosition>[1]): Position => {
  const opened = openPosition(listed, from);
  if (!opened) throw new Error('the list is another one');
  return opened;
};

describe('the position in the organisations', () => {
  const listed = uuids(10);

  it('goes on behind what is done', () => {
    const before = position(listed);
    for (const uuid of before.rest.slice(0, 4)) before.settle(uuid, 'complete');
    expect(position(listed, before.toState()).rest).toEqual(listed.slice(4));
  });

  it('comes back to what failed, first', () => {
    const before = position(listed);
    for (const [at, uuid] of before.rest.slice(0, 6).entries()) {
      before.settle(uuid, at === 2 || at === 4 ? 'failed' : 'complete');
    }
    const after = position(listed, before.toState());
    expect(after.rest).toEqual([listed[2], listed[4], ...listed.slice(6)]);
    after.settle(listed[2] as string, 'complete');
    expect(position(listed, after.toState()).rest).toEqual([listed[4], ...listed.slice(6)]);
  });

  it('does not count an organisation that is gone, as the next list lacks it', () => {
    const before = position(listed);
    before.settle(listed[0] as string, 'complete');
    before.settle(listed[1] as string, 'gone');
    before.settle(listed[2] as string, 'complete');
    const without = listed.filter((_, at) => at !== 1);
    expect(position(without, before.toState()).rest).toEqual(listed.slice(3));
  });

  it('takes in what was added or removed behind it', () => {
    const before = position(listed);
    for (const uuid of listed.slice(0, 3)) before.settle(uuid, 'complete');
    const [added = ''] = uuids(99).slice(-1);
    const changed = [...listed.slice(0, 5), added, ...listed.slice(7)];
    expect(position(changed, before.toState()).rest).toEqual(changed.slice(3));
  });

  it.each([
    ['added', (list: string[]) => list.splice(1, 0, 'new')],
    ['removed', (list: string[]) => list.splice(1, 1)],
    ['moved', (list: string[]) => list.splice(0, 2, list[1] as string, list[0] as string)],
    ['cut', (list: string[]) => list.splice(2)],
  ])('is void when an organisation before it was %s', (_, change) => {
    const before = position(listed);
    for (const uuid of listed.slice(0, 5)) before.settle(uuid, 'complete');
    const changed = [...listed];
    change(changed);
    expect(openPosition(changed, before.toState())).toBeUndefined();
  });

  it('keeps below 64 KiB for 10,000 organisations, whatever becomes of them', () => {
    const many = uuids(10_000);
    for (const verdictOf of [
      () => 'complete' as const,
      () => 'failed' as const,
      (at: number) => (at % 2 === 0 ? ('failed' as const) : ('complete' as const)),
    ]) {
      const read = position(many);
      for (const [at, uuid] of many.entries()) read.settle(uuid, verdictOf(at));
      const state = read.toState();
      expect(Buffer.byteLength(JSON.stringify(state))).toBeLessThan(48 * 1024);
      const left = new Set(position(many, state).rest);
      expect(many.filter((uuid, at) => verdictOf(at) === 'failed' && !left.has(uuid))).toEqual([]);
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

  it.each(['', ' \n', '[]', '{}', 'null', '[null]', '[{}]'])('says nothing when it holds %j', (text) => {
    expect(parseStates(text)).toEqual({ byStream: new Map(), isForeign: false });
  });

  it.each(['{"users": {"cursor": 1}}', '[{"type":"GLOBAL","global":{}}]', '{"type":', '42'])(
    'is foreign when it holds %j',
    (text) => {
      expect(parseStates(text)).toEqual({ byStream: new Map(), isForeign: true });
    },
  );
});

describe('taking a state up', () => {
  const now = Date.UTC(2026, 10, 24, 0, 30);
  const state = { version: 1, snapshot_date: '2026-11-23', finished: false, page: 'token' };
  const begun = (ms: number) => ({ ...state, started_at: new Date(now - ms).toISOString() });
  const hour = 3_600_000;

  it('goes on within 24 hours, with the date that the read began with', () => {
    expect(takeUp(begun(hour), organizationsState, now).from?.snapshot_date).toBe('2026-11-23');
    expect(takeUp(begun(24 * hour - 1), organizationsState, now).from).toBeDefined();
  });

  it.each([
    ['older', begun(24 * hour)],
    ['from the future', begun(-24 * hour)],
    ['finished', { ...begun(hour), finished: true }],
    ['of another version', { ...begun(hour), version: 2 }],
    ['broken', { ...begun(hour), page: 7 }],
    ['foreign', { cursor: '2026-11-23' }],
  ])('starts over with a reason when it is %s', (_, json) => {
    const { from, startsOver } = takeUp(json, organizationsState, now);
    expect(from).toBeUndefined();
    expect(startsOver).toMatch(/^its state /);
  });

  it.each([undefined, null, {}])('starts without a word when there is none (%j)', (json) => {
    expect(takeUp(json, organizationsState, now)).toEqual({});
  });
});

describe('the states of a stream', () => {
  const sent: Message[] = [];
  let elapsed = 0;
  const clock: Clock = { ...systemClock, elapsed: () => elapsed };
  const output = {
    tell: (message: Message) => void sent.push(message),
    send: async (message: Message) => void sent.push(message),
    flush: async () => {},
  };
  const sentSince = (count: number) =>
    sent
      .slice(count)
      .map((message) => (message.type === 'STATE' ? message.state.stream.stream_state.at : message.type));

  it('are sent once a second at most, besides the last', async () => {
    const states = checkpoints('users', output, clock);
    for (let at = 0; at < 35; at += 1, elapsed += 100) {
      states.count();
      await states.offer({ at });
    }
    await states.end({ at: 'last' });
    expect(sentSince(0)).toEqual([0, 10, 20, 30, 'last']);
    const counts = sent.map((message) =>
      message.type === 'STATE' ? message.state.sourceStats.recordCount : 0,
    );
    expect(counts).toEqual([1, 10, 10, 10, 4]);
  });

  it('are not repeated with records between, and repeat themselves in a long wait', async () => {
    const before = sent.length;
    const states = checkpoints('users', output, clock);
    await states.offer({ at: 1 });
    elapsed += 5_000;
    states.count();
    await states.offer({ at: 1 });
    states.beat();
    expect(sentSince(before)).toEqual([1]);
    elapsed += 15 * 60_000;
    await states.offer({ at: 2 });
    states.beat();
    elapsed += 15 * 60_000;
    states.beat();
    expect(sentSince(before)).toEqual([1, 2, 2]);
  });
});
