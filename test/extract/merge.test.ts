import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { merge } from '../../src/extract/merge.js';
import { fakeClock } from '../client/fake-clock.js';
import { all, rejection } from '../client/test-client.js';

interface PageOf {
  source: number;
  page: number;
}

/** Sources whose pages come at given times, and a count of the pages asked for and not yet dealt with. */
function world(delays: readonly (readonly number[])[], clock = fakeClock()) {
  const state = { outstanding: 0, most: 0, opened: 0, open: 0, mostOpen: 0, asked: 0, aborted: 0 };
  async function* sources() {
    for (let source = 0; source < delays.length; source += 1) {
      state.opened += 1;
      yield source;
    }
  }
  async function* open(source: number, signal: AbortSignal): AsyncGenerator<PageOf, void, void> {
    state.open += 1;
    state.mostOpen = Math.max(state.mostOpen, state.open);
    try {
      for (const [page, delay] of (delays[source] ?? []).entries()) {
        state.asked += 1;
        state.outstanding += 1;
        state.most = Math.max(state.most, state.outstanding);
        try {
          await clock.sleep(delay, signal);
          yield { source, page };
        } catch (error) {
          if (signal.aborted) state.aborted += 1;
          throw error;
        } finally {
          state.outstanding -= 1;
        }
      }
    } finally {
      state.open -= 1;
    }
  }
  return { clock, state, sources, open };
}

const schedules = fc.array(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 6 }), { maxLength: 12 });
const concurrencies = fc.integer({ min: 1, max: 5 });

describe('a merge of walks', () => {
  it('loses nothing, doubles nothing, keeps the order within each, and holds no more pages than walks may be open', async () => {
    await fc.assert(
      fc.asyncProperty(
        schedules,
        concurrencies,
        fc.integer({ min: 0, max: 30 }),
        async (delays, concurrency, work) => {
          const { clock, state, sources, open } = world(delays);
          const pages: PageOf[] = [];
          const reading = async () => {
            for await (const page of merge({ sources: sources(), open, concurrency, clock })) {
              if (work > 0) await clock.sleep(work);
              pages.push(page);
            }
          };
          await clock.run(reading());
          const bySource = delays.map((_, source) =>
            pages.filter((page) => page.source === source).map(({ page }) => page),
          );
          expect(bySource).toEqual(delays.map((pagesOf) => [...pagesOf.keys()]));
          expect(state.most).toBeLessThanOrEqual(concurrency);
          expect(state.mostOpen).toBeLessThanOrEqual(concurrency);
          expect(state).toMatchObject({ outstanding: 0, open: 0 });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('asks for nothing more once its reader has gone, and ends what was in flight', async () => {
    await fc.assert(
      fc.asyncProperty(schedules, concurrencies, fc.nat({ max: 20 }), async (delays, concurrency, until) => {
        const { clock, state, sources, open } = world(delays);
        const reading = async () => {
          let read = 0;
          for await (const _ of merge({ sources: sources(), open, concurrency, clock })) {
            if (read === until) break;
            read += 1;
          }
          return state.asked;
        };
        const asked = await clock.run(reading());
        expect(clock.waiting).toBe(0);
        expect(state).toMatchObject({ outstanding: 0, open: 0, asked });
      }),
      { numRuns: 150 },
    );
  });

  it('opens sources only as walks end', async () => {
    const { clock, state, sources, open } = world(Array(50).fill([5, 5]));
    const pages = merge({ sources: sources(), open, concurrency: 3, clock });
    await clock.run(pages.next());
    expect(state.opened).toBe(3);
    await clock.run(pages.return());
  });

  it('gives each open walk its turn', async () => {
    const { clock, sources, open } = world(Array(3).fill([0, 0, 0, 0]));
    const pages = await clock.run(all(merge({ sources: sources(), open, concurrency: 3, clock })));
    expect(new Set(pages.slice(0, 4).map(({ source }) => source)).size).toBeGreaterThan(1);
  });

  it('ends all walks before it throws what one of them threw', async () => {
    const { clock, state, sources, open } = world([[5, 5, 5], [7, 0], [100]]);
    async function* failing(source: number, signal: AbortSignal) {
      for await (const page of open(source, signal)) {
        if (source === 1) throw new Error('broken');
        yield page;
      }
    }
    const thrown = await clock.run(
      rejection(all(merge({ sources: sources(), open: failing, concurrency: 3, clock }))),
    );
    expect(thrown.message).toBe('broken');
    expect(state).toMatchObject({ outstanding: 0, open: 0, aborted: 2 });
    expect(clock.waiting).toBe(0);
  });

  it('throws what its sources throw', async () => {
    const { clock, state, open } = world([[50], [50]]);
    async function* sources() {
      yield 0;
      await clock.sleep(5);
      throw new Error('no more');
    }
    const thrown = await clock.run(
      rejection(all(merge({ sources: sources(), open, concurrency: 2, clock }))),
    );
    expect(thrown.message).toBe('no more');
    expect(state).toMatchObject({ outstanding: 0, open: 0 });
  });

  it('ends at once when its signal aborts', async () => {
    const { clock, state, sources, open } = world([[1000], [1000]]);
    const controller = new AbortController();
    const reading = rejection(
      all(merge({ sources: sources(), open, concurrency: 2, clock, signal: controller.signal })),
    );
    await clock.run(clock.sleep(10));
    controller.abort(new Error('enough'));
    expect((await clock.run(reading)).message).toBe('enough');
    expect(clock.elapsed()).toBe(10);
    expect(state.open).toBe(0);
  });
});
