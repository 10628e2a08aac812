import { type BudgetOptions, createBudget } from '../../fixtures/api/index.js';
import { parseBudget } from '../../src/client/budget-report.js';
import { createPacer, type PacerOptions } from '../../src/client/pacer.js';
import type { ComplianceEvent } from '../../src/events.js';
import { type FakeClock, fakeClock } from './fake-clock.js';

/** What came of a run of requests through a pacer against a simulated server. */
export interface Outcome {
  /** Milliseconds from the first request to the last answer. */
  duration: number;
  /** 429s, without the attempts that followed them. */
  refused: number;
  /** When each request left, in milliseconds. */
  sent: number[];
  events: ComplianceEvent[];
}

export interface Simulation {
  requests: number;
  budget?: BudgetOptions;
  pacer?: Partial<PacerOptions>;
  workers?: number;
  /** Milliseconds there and back. */
  latency?: number;
  /** Changes what the server says; the first request is number 1. */
  headers?: (headers: Record<string, string>, request: number) => Record<string, string>;
  clock?: FakeClock;
}

/** Runs requests through a pacer on a fake clock: workers that each send when they may, and again after a 429. */
export async function simulate(simulation: Simulation): Promise<Outcome> {
  const { requests, budget, workers = 8, latency = 50, headers = (all) => all } = simulation;
  const { clock = fakeClock() } = simulation;
  const events: ComplianceEvent[] = [];
  const pacer = createPacer({
    clock,
    requestsPerMinute: 600,
    budgetShare: 0.9,
    onEvent: (event) => events.push(event),
    ...simulation.pacer,
  });
  const server = budget && createBudget(budget);
  const sent: number[] = [];
  let left = requests;
  let refused = 0;

  async function work(): Promise<void> {
    while (left > 0) {
      left -= 1;
      let granted = false;
      while (!granted) {
        await pacer.take();
        sent.push(clock.elapsed());
        const request = sent.length;
        await clock.sleep(latency / 2);
        const verdict = server?.(clock.now());
        granted = verdict?.granted ?? true;
        const reported = headers(
          verdict
            ? {
                'anthropic-ratelimit-requests-limit': String(verdict.limit),
                'anthropic-ratelimit-requests-remaining': String(verdict.remaining),
                'anthropic-ratelimit-requests-reset': new Date(verdict.resetAt).toISOString(),
              }
            : {},
          request,
        );
        const retryAfter = (verdict?.retryAt ?? 0) - clock.now();
        await clock.sleep(latency / 2);
        pacer.settle(parseBudget(reported, clock.now()));
        if (!granted) {
          refused += 1;
          pacer.pause(Math.max(0, retryAfter));
        }
      }
    }
  }
  await clock.run(Promise.all(Array.from({ length: workers }, work)));
  return { duration: clock.elapsed() - (sent[0] ?? 0), refused, sent, events };
}

/** The most requests in any rolling window. */
export function busiestWindow(sent: readonly number[], window: number): number {
  let busiest = 0;
  for (let first = 0, last = 0; last < sent.length; last += 1) {
    while ((sent[last] as number) - (sent[first] as number) >= window) first += 1;
    busiest = Math.max(busiest, last - first + 1);
  }
  return busiest;
}
