import { afterEach, describe, expect, test } from 'vitest';
import { type BudgetOptions, createBudget, type FixtureApi, startFixtureApi } from '../fixtures/api/index.js';

/** How many of the requests at these times are granted. */
const granted = (options: BudgetOptions, times: readonly number[]): number => {
  const ask = createBudget(options);
  return times.filter((time) => ask(time).granted).length;
};
const burst = (count: number, at = 0) => Array.from({ length: count }, () => at);
const budget = (algorithm: BudgetOptions['algorithm'], more: Partial<BudgetOptions> = {}): BudgetOptions => ({
  algorithm,
  requests: 10,
  windowMs: 1000,
  ...more,
});

describe('a budget', () => {
  test.each(['fixed-window', 'sliding-window', 'token-bucket'] as const)(
    '%s grants the budget and no more',
    (algorithm) => {
      expect(granted(budget(algorithm), burst(25))).toBe(10);
      const ask = createBudget(budget(algorithm));
      expect(ask(0)).toMatchObject({ granted: true, limit: 10, remaining: 9 });
    },
  );

  test.each(['fixed-window', 'sliding-window', 'token-bucket'] as const)(
    '%s grants a request at the time that it told',
    (algorithm) => {
      const ask = createBudget(budget(algorithm));
      for (const time of burst(10, 5)) ask(time);
      const refused = ask(7);
      expect(refused).toMatchObject({ granted: false, remaining: 0 });
      expect(ask(refused.retryAt - 0.01).granted).toBe(false);
      expect(ask(refused.retryAt).granted).toBe(true);
    },
  );

  test('they differ in when spent units come back', () => {
    const half = [...burst(10), ...burst(10, 500)];
    expect(granted(budget('fixed-window'), half)).toBe(10);
    expect(granted(budget('sliding-window'), half)).toBe(10);
    expect(granted(budget('token-bucket'), half)).toBe(15);
    const late = [...burst(10, 900), ...burst(10, 1000)];
    expect(granted(budget('fixed-window', { phase: 0.5 }), late)).toBe(10);
    expect(granted(budget('fixed-window'), [0, ...late])).toBe(20);
    expect(granted(budget('sliding-window'), [0, ...late])).toBe(11);
    expect(granted(budget('token-bucket'), [0, ...late])).toBe(12);
  });

  test('a window may have begun before the first request', () => {
    expect(granted(budget('fixed-window', { phase: 0.9 }), [...burst(10), ...burst(10, 100)])).toBe(20);
  });

  test.each(['fixed-window', 'sliding-window', 'token-bucket'] as const)(
    '%s: a stranger who spends two fifths leaves the rest',
    (algorithm) => {
      const times = Array.from({ length: 1000 }, (_, n) => n * 10 + 0.5); // ten windows
      const alone = granted(budget(algorithm), times);
      const shared = granted(budget(algorithm, { stranger: 0.4 }), times);
      expect(alone).toBeGreaterThanOrEqual(100);
      expect(shared).toBeLessThan(alone);
      const polite = Array.from({ length: 55 }, (_, n) => (n * 1000) / 5.5 + 0.5);
      expect(granted(budget(algorithm, { stranger: 0.4 }), polite)).toBe(55);
    },
  );
});

describe('served under a budget', () => {
  let api: FixtureApi;
  afterEach(() => api.close());
  const ask = (key = api.key) =>
    fetch(`${api.url}/v1/compliance/organizations`, { headers: { 'x-api-key': key } });
  const HEADER = 'anthropic-ratelimit-requests';

  test('answers tell what is left, and a 429 how long to wait', async () => {
    api = await startFixtureApi({ budget: budget('fixed-window', { requests: 2, windowMs: 30_000 }) });
    const [first, second, third] = [await ask(), await ask(), await ask()];
    expect([first, second, third].map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(first?.headers.get(`${HEADER}-limit`)).toBe('2');
    expect(first?.headers.get(`${HEADER}-remaining`)).toBe('1');
    const reset = Date.parse(first?.headers.get(`${HEADER}-reset`) ?? '') - Date.now();
    expect(reset).toBeGreaterThan(0);
    expect(reset).toBeLessThanOrEqual(30_000);
    const wait = Number(third?.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(30);
    expect(await third?.json()).toMatchObject({ error: { type: 'rate_limit_error' } });
  });

  test('a minute is told in whole seconds', async () => {
    api = await startFixtureApi({ requestsPerMinute: 1 });
    await ask();
    expect((await ask()).headers.get('retry-after')).toMatch(/^(59|60)$/);
  });

  test.each([
    { headers: true, told: [true, true] },
    { headers: false, told: [false, false] },
    { headers: 'first-answer-only', told: [true, false] },
  ] as const)('headers: $headers', async ({ headers, told }) => {
    api = await startFixtureApi({ budget: budget('sliding-window', { headers }) });
    const answers = [await ask(), await ask()];
    expect(answers.map((answer) => answer.headers.has(`${HEADER}-limit`))).toEqual(told);
  });

  test('who has no right to it spends none of it, but a missing scope costs one', async () => {
    api = await startFixtureApi({
      scopes: [],
      budget: budget('fixed-window', { requests: 1, windowMs: 30_000 }),
    });
    expect((await ask('wrong')).status).toBe(401);
    expect((await ask()).status).toBe(403);
    expect((await ask()).status).toBe(429);
  });
});
