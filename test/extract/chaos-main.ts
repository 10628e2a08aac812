/** `npm run chaos -- --seeds 20 --from 1`: reads through random faults, seed after seed, and ends with 1 if anything was lost. */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type ChaosOutcome, runChaos } from './chaos.js';

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '200' }, from: { type: 'string', default: '1' } },
});
const first = Number(values.from);
const last = first + Number(values.seeds) - 1;

/** No run takes nearly as long: one that does hangs. */
const PATIENCE = 120_000;

async function withinPatience(run: Promise<ChaosOutcome>): Promise<ChaosOutcome> {
  const patience = new AbortController();
  const hang = delay(PATIENCE, undefined, { signal: patience.signal }).then(() => {
    throw new Error('It hangs.');
  });
  try {
    return await Promise.race([run, hang]);
  } finally {
    patience.abort();
    hang.catch(() => undefined);
  }
}

const totals = { requests: 0, complete: 0, missing: 0, wrong: 0 };
for (let seed = first; seed <= last; seed += 1) {
  const { manner, requests, complete, missing, wrong } = await withinPatience(runChaos(seed));
  const lacking = missing.length === 0 ? '' : `, missing: ${missing.join(' ')}`;
  console.log(`seed ${seed} (${manner}): ${requests} requests, ${complete} organisations complete${lacking}`);
  for (const text of wrong) console.error(`  WRONG: ${text}`);
  totals.requests += requests;
  totals.complete += complete;
  totals.missing += missing.length;
  totals.wrong += wrong.length;
}
const runs = last - first + 1;
console.log(
  `${runs} runs, ${totals.requests} requests, 30 % of them hit: ${totals.complete} organisations read exactly as served, ` +
    `${totals.missing} named as missing by a typed error, ${totals.wrong} wrong.`,
);
process.exitCode = totals.wrong === 0 ? 0 : 1;
