/**
 * How well the budget is used: `npm run bench -- budget [requests]`. The client reads the fixture API over real connections,
 * under a budget scaled down in time: 600 requests in 6 seconds. Ends with 1 when a figure is missed.
 */
import { type BudgetOptions, startFixtureApi } from '../fixtures/api/index.js';
import { ComplianceClient } from '../src/extract/compliance-client.js';
import { busiestWindow } from '../test/client/budget-simulation.js';

const requests = Number(process.argv[2] ?? 1000);
const LIMIT = 600;
const WINDOW = 6_000;
const SHARE = 0.9;
const ALGORITHMS = ['fixed-window', 'sliding-window', 'token-bucket'] as const;

const SCENARIOS: readonly {
  name: string;
  budget: Partial<BudgetOptions>;
  most429s: number;
  slowest: number;
}[] = [
  { name: 'alone', budget: {}, most429s: 0, slowest: 1.1 },
  {
    name: 'alone, headers on the first answer only',
    budget: { headers: 'first-answer-only' },
    most429s: 0,
    slowest: 1.1,
  },
  { name: 'with a stranger who uses 40 %', budget: { stranger: 0.4 }, most429s: 0.01, slowest: Infinity },
];

interface Figures {
  answered: number;
  refused: number;
  seconds: number;
  busiest: number;
}

/** Reads eight organisations at once, page by page, so often that the list and the pages make the requests wanted. */
async function measure(budget: BudgetOptions, requests: number): Promise<Figures> {
  const pages = Math.floor((requests - 1) / 8);
  await using api = await startFixtureApi({ sizes: Array(8).fill(pages * 2), budget, latency: 20 });
  await using client = new ComplianceClient({
    apiKey: api.key,
    baseUrl: api.url,
    requestsPerMinute: (LIMIT * 60_000) / WINDOW,
    budgetShare: SHARE,
    budgetWindow: WINDOW,
  });
  const started = performance.now();
  let users = 0;
  for await (const _ of client.organizations.streamAllUsers({ concurrency: 8, limit: 2 })) users += 1;
  if (users !== pages * 16) throw new Error(`${users} users were read, ${pages * 16} were served.`);
  return {
    answered: api.requests.filter(({ status }) => status === 200).length,
    refused: api.requests.filter(({ status }) => status === 429).length,
    seconds: (performance.now() - started) / 1000,
    busiest: busiestWindow(
      api.requests.map(({ at }) => at),
      WINDOW,
    ),
  };
}

console.log(
  `${LIMIT} requests in ${WINDOW / 1000} s, of which ${SHARE * 100} % may be used; over loopback, 20 ms an answer.\n`,
);
console.log(
  'algorithm       scenario                                 requests   429s  seconds  to the floor  busiest window',
);
// Compiling takes longer than a request may: nothing that is measured should pay for it.
await measure({ algorithm: 'fixed-window', requests: LIMIT, windowMs: WINDOW }, LIMIT / 2);
for (const { name, budget, most429s, slowest } of SCENARIOS) {
  for (const algorithm of ALGORITHMS) {
    const options = { algorithm, requests: LIMIT, windowMs: WINDOW, ...budget };
    const { answered, refused, seconds, busiest } = await measure(options, requests);
    const ratio = seconds / (answered / ((LIMIT * SHARE) / (WINDOW / 1000)));
    const isMissed = refused / answered > most429s || ratio > slowest;
    if (isMissed) process.exitCode = 1;
    console.log(
      [
        algorithm.padEnd(15),
        name.padEnd(40),
        String(answered).padStart(8),
        String(refused).padStart(6),
        seconds.toFixed(1).padStart(8),
        ratio.toFixed(3).padStart(13),
        String(busiest).padStart(15),
        isMissed ? '  MISSED' : '',
      ].join(' '),
    );
  }
}
