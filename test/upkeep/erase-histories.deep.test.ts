import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  compact,
  createSink,
  erase,
  type Layout,
  LocalStorage,
  type Manifest,
  prune,
  type Row,
  readManifest,
  sinkFormats,
  verify,
} from '../../src/index.js';
import { type MadeUpApi, startMadeUpApi } from '../diff/support/made-up-api.js';
import { madeUpHistory } from '../diff/support/made-up-days.js';
import { take } from '../diff/support/take.js';
import { runs } from '../property-runs.js';
import { stoppedAt } from '../run/support/clocks.js';
import { temporaryFolder } from '../run/support/tree.js';
import { filesNaming, tablesOf } from './support/person.js';

const DATES = ['2026-11-20', '2026-11-21', '2026-11-22'];
const PERSON = 'user_01person3';

let api: MadeUpApi;
beforeAll(async () => {
  api = await startMadeUpApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const isOwn = ({ id, user_id }: Row): boolean => id === PERSON || user_id === PERSON;
type Days = Record<string, Record<string, Row[]>>;

/** What her rows say she is called: an address, or a name of two words. */
function textsIn(days: Days): string[] {
  const rows = Object.values(days)
    .flatMap((tables) => Object.values(tables).flat())
    .filter(isOwn);
  const texts = rows.flatMap(({ email, full_name }) => [email, full_name]);
  return [PERSON, ...texts.filter((text): text is string => /@|\p{L}\s+\p{L}/u.test(String(text)))];
}

/** Her rows are gone, and every other text that has one of hers has `replacement` in its place; by plain search. */
function reference(rows: readonly Row[], texts: readonly string[], replacement: string): Row[] {
  const inTexts = (value: unknown): unknown => {
    if (typeof value === 'string')
      return texts.reduce((text, hers) => text.replaceAll(hers, replacement), value);
    if (Array.isArray(value)) return value.map(inTexts);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [inTexts(name), inTexts(inner)]));
  };
  return rows
    .filter((row) => !isOwn(row))
    .map((row) => {
      const { email, full_name } = row;
      const theirs = { ...(email !== undefined && { email }), ...(full_name !== undefined && { full_name }) };
      return { ...(inTexts(row) as Row), ...theirs };
    });
}

async function everyDay(root: string): Promise<{ days: Days; manifests: Manifest[] }> {
  const days: Days = {};
  const manifests: Manifest[] = [];
  for (const date of DATES) {
    const manifest = await readManifest(new LocalStorage(root), date);
    if (!manifest) continue;
    days[date] = await tablesOf(root, manifest);
    manifests.push(manifest);
  }
  return { days, manifests };
}

it('erases exactly one person, whatever the days, formats and layouts are', async () => {
  let found = 0;
  await fc.assert(
    fc.asyncProperty(
      madeUpHistory(DATES.length),
      fc.constantFrom(...sinkFormats.map(({ name }) => name)),
      fc.array(fc.constantFrom<Layout>('per-org', 'per-date'), { minLength: 3, maxLength: 3 }),
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom<'nothing' | 'compact' | 'prune'>('nothing', 'compact', 'prune'),
      fc.boolean(),
      async (history, format, arrangements, rowsPerFile, first, isAwayLast) => {
        await using folder = await temporaryFolder();
        const root = folder.path;
        const storage = new LocalStorage(root);
        for (const [i, day] of history.entries()) {
          const layout = arrangements[i] ?? 'per-org';
          await take(api, storage, day, {
            runDate: DATES[i] ?? '',
            sink: createSink(format),
            layout,
            rowsPerFile,
          });
        }
        if (first === 'compact') await compact({ storage, runDate: DATES[1] ?? '', rowsPerFile: 2 });
        if (first === 'prune')
          await prune({ storage, keepDays: 2, clock: stoppedAt('2026-11-22T12:00:00Z') });
        const before = await everyDay(root);
        const texts = textsIn(before.days);
        const isSomewhere = Object.values(before.days).some((tables) =>
          Object.values(tables).flat().some(isOwn),
        );
        const result = await erase({ storage, user: PERSON });
        expect(result).toMatchObject({ isKnown: isSomewhere, failed: [], left: [] });
        if (isSomewhere) found += 1;
        const after = await everyDay(root);
        const [tombstone] = after.manifests.flatMap(({ erasures = [] }) => erasures);
        const replacement = `erased_${tombstone?.person_sha256.slice(0, 32)}`;
        for (const [date, tables] of Object.entries(before.days))
          for (const [table, rows] of Object.entries(tables))
            expect(after.days[date]?.[table] ?? [], `${table} of ${date}`).toEqual(
              reference(rows, isSomewhere ? texts : [], replacement),
            );
        if (isAwayLast) await compact({ storage, runDate: DATES[2] ?? '' });
        expect((await verify({ storage, all: true })).findings).toEqual([]);
        expect(await filesNaming(root, [PERSON])).toEqual([]);
      },
    ),
    { numRuns: runs(12), endOnFailure: true },
  );
  expect(found).toBeGreaterThan(0);
}, 300_000);
