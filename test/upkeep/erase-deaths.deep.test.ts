import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { erase, verify } from '../../src/index.js';
import { clockAt, LATER, NOON } from '../crash/support/clock-at.js';
import {
  type Contents,
  currentEntries,
  filesOf,
  manifestAt,
  manifestKeyOf,
} from '../crash/support/contents.js';
import { type Mishap, mortal } from '../crash/support/mortal.js';
import { declareDead, expectSettled } from '../crash/support/repair.js';
import { Root } from '../crash/support/root.js';
import { type States, temporaryState } from '../crash/support/state.js';
import { type MadeUpApi, startMadeUpApi } from '../diff/support/made-up-api.js';
import { take } from '../diff/support/take.js';
import { MemoryStorage } from '../root/support/memory-storage.js';
import { dayWithPerson, PERSON, PERSON_TEXTS } from './support/person.js';

/** Few files, and yet rows that go, rows that quote the person, and rows that stay. */
const STREAMS = ['organizations', 'users', 'groups'];
const DATES = ['2026-11-21', '2026-11-22'];
/** What this test knows itself: the rows by the log, and by the copy, are compared with those of an erasure that lives. */
const EXCEPT = ['one snapshot', 'a true copy'];

/** Remembers what each day held after each commit. */
class Remembering extends MemoryStorage {
  readonly states = new Set<string>();

  override async create(key: string, bytes: Uint8Array): Promise<boolean> {
    const isCreated = await super.create(key, bytes);
    if (key.startsWith('_runs/log/')) this.remember();
    return isCreated;
  }

  remember(): void {
    for (const state of daysOf(this.objects)) this.states.add(state);
  }
}

/** What each day holds by the log, whatever the salt. */
function daysOf(contents: Contents): string[] {
  return [...currentEntries(contents)].map(([date, entry]) => {
    const manifest = manifestAt(contents, manifestKeyOf(entry));
    const files = manifest ? filesOf(manifest) : [];
    const text = files.map(({ path }) => String(contents.get(path) ?? 'missing')).join('');
    return `${date} ${text.replaceAll(/erased_[0-9a-f]{32}/g, 'erased')}`;
  });
}

const erasing = (root: Root, states: States, at: number) =>
  erase({ storage: root.open(), state: states.fresh(), user: PERSON, clock: clockAt(at) });

let api: MadeUpApi;
let states: States;
let start: Root;
beforeAll(async () => {
  api = await startMadeUpApi();
  states = await temporaryState();
  start = new Root();
  for (const [i, runDate] of DATES.entries()) {
    const day = { ...dayWithPerson(i as 0 | 1), streams: STREAMS };
    await take(api, start.storage, day, { runDate, state: states.fresh(), clock: clockAt(NOON) });
  }
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await states[Symbol.asyncDispose]();
});

describe('an erasure whose process', () => {
  it.each<Mishap>(['dies before', 'dies after', 'loses the answer of', 'fails twice from'])(
    '%s any step is finished by the same command, and no reader sees half a day',
    async (mishap) => {
      const whole = new Remembering((start.storage as MemoryStorage).objects);
      whole.remember();
      await erase({ storage: whole, state: states.fresh(), user: PERSON, clock: clockAt(NOON) });
      const finished = daysOf(whole.objects);
      expect(whole.states.size).toBeGreaterThan(DATES.length * 2);
      const struck: string[] = [];
      for (let at = 1; ; at += 1) {
        const root = await start.copy();
        const victim = mortal(root.open(), { at, mishap });
        await erase({
          storage: victim.storage,
          state: states.fresh(),
          user: PERSON,
          clock: clockAt(NOON),
        }).catch(() => undefined);
        if (!victim.step) break;
        const where = `step ${at} (${victim.step.operation} ${victim.step.key})`;
        struck.push(victim.step.operation);
        expect(await root.wrongNow({}, EXCEPT), where).toEqual([]);
        for (const day of daysOf(await root.contents())) expect(whole.states, where).toContain(day);
        // Every other time by a process of the same machine, which need not wait.
        if (at % 2 === 0) await declareDead(root);
        const result = await erasing(root, states, NOON + (at % 2 === 0 ? 0 : LATER));
        expect(result, where).toMatchObject({ isKnown: true, failed: [], left: [] });
        expect(await root.wrongNow({}, EXCEPT), where).toEqual([]);
        await expectSettled(root);
        const contents = await root.contents();
        expect(daysOf(contents), where).toEqual(finished);
        const all = Buffer.concat([...contents].flatMap(([key, bytes]) => [Buffer.from(key), bytes]));
        for (const text of PERSON_TEXTS) expect(all.includes(Buffer.from(text)), where).toBe(false);
        expect(new Set(String(all).match(/"salt": "[0-9a-f]+"/g)).size, where).toBe(1);
        expect((await verify({ storage: root.storage, all: true })).findings, where).toEqual([]);
      }
      expect(new Set(struck)).toEqual(new Set(['create', 'put', 'write', 'remove']));
    },
    120_000,
  );
});
