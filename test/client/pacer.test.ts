import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BudgetOptions } from '../../fixtures/api/index.js';
import { createPacer } from '../../src/client/pacer.js';
import { busiestWindow, simulate } from './budget-simulation.js';
import { fakeClock } from './fake-clock.js';

const MINUTE = 60_000;
const LIMIT = 600;
const SHARE = 0.9;
const ALGORITHMS = ['fixed-window', 'sliding-window', 'token-bucket'] as const;
const RESET = 'anthropic-ratelimit-requests-reset';
const REMAINING = 'anthropic-ratelimit-requests-remaining';

type Headers = Record<string, string>;
const all = (headers: Headers) => headers;
const firstOnly = (headers: Headers, request: number) => (request === 1 ? headers : {});
const none = () => ({});
const movedBy = (ms: number) => (headers: Headers) => ({
  ...headers,
  [RESET]: new Date(Date.parse(headers[RESET] ?? '') + ms).toISOString(),
});

const budget = (algorithm: BudgetOptions['algorithm'], more: Partial<BudgetOptions> = {}): BudgetOptions => ({
  algorithm,
  requests: LIMIT,
  windowMs: MINUTE,
  ...more,
});

describe.each(ALGORITHMS)('under a %s budget', (algorithm) => {
  it.each([
    ['every answer reports the budget', all],
    ['only the first answer reports the budget', firstOnly],
  ])('spends its share without a 429, nearly as fast as that allows, when %s', async (_, headers) => {
    const requests = 1500;
    const { duration, refused, sent } = await simulate({ requests, budget: budget(algorithm), headers });
    expect(refused).toBe(0);
    expect(duration).toBeLessThan((1.1 * requests * MINUTE) / (LIMIT * SHARE));
    expect(busiestWindow(sent, MINUTE)).toBeLessThanOrEqual(LIMIT * SHARE);
  });

  it('is hardly ever refused beside a stranger who spends 40 %', async () => {
    const requests = 1500;
    const { refused } = await simulate({ requests, budget: budget(algorithm, { stranger: 0.4 }) });
    expect(refused / requests).toBeLessThanOrEqual(0.01);
  });

  it.each([
    [
      'a reset cut to seconds',
      (headers: Headers) => ({ ...headers, [RESET]: headers[RESET]?.replace(/\.\d+/, '') ?? '' }),
    ],
    ['no reset', ({ [RESET]: _, ...headers }: Headers) => headers],
    ['a reset in the year 9999', (headers: Headers) => ({ ...headers, [RESET]: '9999-12-31T23:59:59Z' })],
    ['a reset that has passed', movedBy(-86_400_000)],
    ['a clock that is an hour behind', movedBy(3_600_000)],
    ['a clock that is two seconds off', movedBy(2_000)],
    ['a remaining above the limit', (headers: Headers) => ({ ...headers, [REMAINING]: '100000' })],
  ])('neither hangs nor is refused with %s', async (_, headers) => {
    const requests = 900;
    const { duration, refused } = await simulate({ requests, budget: budget(algorithm), headers });
    expect(refused).toBe(0);
    expect(duration).toBeLessThan((1.1 * requests * MINUTE) / (LIMIT * SHARE));
  });

  it('does not hang on a server that always says that nothing is left', async () => {
    const headers = (served: Headers) => ({ ...served, [REMAINING]: '0' });
    const { duration } = await simulate({ requests: 300, budget: budget(algorithm), headers });
    expect(duration).toBeLessThan(10 * MINUTE);
  });
});

it('spreads what is left evenly until the window ends, and does not run into its end early', async () => {
  const beside = budget('fixed-window', { stranger: 0.4 });
  const { sent } = await simulate({ requests: 1500, budget: beside });
  const gaps = sent.slice(1).map((at, index) => at - (sent[index] as number));
  expect(Math.max(...gaps)).toBeLessThan(MINUTE / 6); // flat out until nothing is left, it would be a quarter
});

it('puts a clock that is off right by the date of the answer', async () => {
  // The server's clock is an hour ahead of ours; without its date the window would have no end in sight.
  const clock = fakeClock();
  const headers = (served: Headers) => ({
    ...movedBy(3_600_000)(served),
    date: new Date(clock.now() + 3_600_000).toUTCString(),
  });
  const requests = 1200;
  const stranger = { stranger: 0.4 };
  const { refused } = await simulate({ requests, budget: budget('fixed-window', stranger), headers, clock });
  expect(refused).toBe(0);
});

describe('without any headers', () => {
  it('sends 600 a minute, smoothly, after a small burst', async () => {
    const { sent, duration } = await simulate({ requests: 1500, headers: none });
    expect(busiestWindow(sent, MINUTE)).toBeLessThanOrEqual(600);
    expect(duration).toBeLessThan(1.03 * 1500 * 100);
    expect(busiestWindow(sent, 1000)).toBeLessThanOrEqual(40);
  });

  it('sends one request alone until the first is answered', async () => {
    const { sent } = await simulate({ requests: 20, headers: none, latency: 5000 });
    expect(sent.filter((at) => at < 5000)).toEqual([0]);
  });

  it('does not wait at all when it has no limit of its own', async () => {
    const { duration } = await simulate({ requests: 8001, workers: 8, pacer: { requestsPerMinute: 0 } });
    expect(duration).toBeLessThanOrEqual(50 * 1002);
  });
});

it('follows a budget smaller than its own limit, even without a limit of its own', async () => {
  const small = { algorithm: 'fixed-window', requests: 30, windowMs: MINUTE } as const;
  for (const requestsPerMinute of [0, 600]) {
    const { refused, sent } = await simulate({ requests: 90, budget: small, pacer: { requestsPerMinute } });
    expect(refused).toBe(0);
    expect(busiestWindow(sent, MINUTE)).toBeLessThanOrEqual(27);
  }
});

it('never raises its own limit to what the API grants', async () => {
  const { sent } = await simulate({
    requests: 200,
    budget: budget('token-bucket'),
    pacer: { requestsPerMinute: 60 },
  });
  expect(busiestWindow(sent, MINUTE)).toBeLessThanOrEqual(60);
});

it('keeps every rolling window within the share, whatever the limit, the share, the workers and the latency', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        requests: fc.integer({ min: 20, max: 1200 }),
        share: fc.double({ min: 0.3, max: 1, noNaN: true }),
        algorithm: fc.constantFrom(...ALGORITHMS),
        stranger: fc.constantFrom(0, 0.2, 0.5),
        workers: fc.integer({ min: 1, max: 20 }),
        latency: fc.integer({ min: 2, max: 3000 }),
        headers: fc.constantFrom(all, firstOnly),
      }),
      async ({ requests: limit, share, algorithm, stranger, workers, latency, headers }) => {
        const { sent } = await simulate({
          requests: Math.min(400, 2 * limit),
          budget: { algorithm, requests: limit, windowMs: MINUTE, stranger },
          pacer: { requestsPerMinute: 100_000, budgetShare: share },
          workers,
          latency,
          headers,
        });
        expect(busiestWindow(sent, MINUTE)).toBeLessThanOrEqual(Math.max(1, Math.floor(limit * share)));
      },
    ),
    { numRuns: 40 },
  );
});

describe('the line', () => {
  const slow = { requestsPerMinute: 60, budgetShare: 1 };

  it('lets go first who came first', async () => {
    const clock = fakeClock();
    const pacer = createPacer({ clock, ...slow });
    const order: number[] = [];
    const take = async (n: number) => {
      await pacer.take();
      order.push(n);
      pacer.settle();
    };
    await clock.run(Promise.all([1, 2, 3, 4, 5].map(take)));
    expect(order).toEqual([1, 2, 3, 4, 5]);
  });

  it('lets nobody through while it waits after a 429, and reports until when', async () => {
    const clock = fakeClock();
    const events: unknown[] = [];
    const pacer = createPacer({ clock, ...slow, onEvent: (event) => events.push(event) });
    await pacer.take();
    pacer.settle({});
    pacer.pause(30_000);
    const times: number[] = [];
    const take = async () => {
      await pacer.take();
      times.push(clock.elapsed());
      pacer.settle();
    };
    await clock.run(Promise.all([take(), take(), take()]));
    expect(Math.min(...times)).toBe(30_000);
    expect(events[0]).toEqual({
      type: 'waiting',
      reason: 'rate_limited',
      until: clock.now() - clock.elapsed() + 30_000,
    });
  });

  it('leaves at once, and leaves no timer behind, when its signal aborts', async () => {
    const clock = fakeClock();
    const pacer = createPacer({ clock, ...slow });
    await pacer.take();
    pacer.settle({});
    pacer.pause(30_000);
    const controller = new AbortController();
    const taking = pacer.take(controller.signal);
    expect(clock.waiting).toBe(1);
    controller.abort(new Error('enough'));
    await expect(taking).rejects.toThrow('enough');
    expect(clock.waiting).toBe(0);
    expect(clock.elapsed()).toBe(0);
  });

  it('does not hold a place for one whose signal was aborted before', async () => {
    const clock = fakeClock();
    const pacer = createPacer({ clock, ...slow });
    await expect(pacer.take(AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
    await clock.run(pacer.take());
    expect(clock.elapsed()).toBe(0);
  });
});
