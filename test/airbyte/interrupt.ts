import type { FixtureApi } from '../../fixtures/api/index.js';
import { type Clock, systemClock } from '../../src/index.js';
import { type ReadOptions, type Run, read } from './harness.js';
import { only, parseLines, states } from './protocol.js';

export const DAY = 24 * 3_600_000;

/** A second passes whenever it is read, so that every state is sent. */
let elapsed = 0;
const hasty: Clock = {
  ...systemClock,
  elapsed: () => {
    elapsed += 1_000;
    return elapsed;
  },
};
export const HASTY = { clock: hasty, config: { page_size: 50, deadline: DAY, timeout: DAY } };

/** Reads until so many states of the last stream have come, as if killed then. */
export async function interrupt(api: FixtureApi, count: number, options: ReadOptions = {}): Promise<Run> {
  const killed = new AbortController();
  const name = options.streams?.at(-1) ?? 'users';
  let text = '';
  const cut = await read(api, {
    ...HASTY,
    ...options,
    signal: killed.signal,
    onChunk(chunk) {
      text += chunk;
      if (states(parseLines(text), name).length >= count) killed.abort();
    },
  });
  if (cut.exitCode !== 1) throw new Error(`the read was not interrupted: it ended with ${cut.exitCode}`);
  return cut;
}

/** What the consumer keeps: everything up to the last state. */
export function kept({ messages }: Run): Run['messages'] {
  const last = messages.findLastIndex(({ type }) => type === 'STATE');
  return messages.slice(0, last + 1);
}

/** The states of a read, as a state file holds them. */
export const statesOf = (messages: Run['messages']) => only(messages, 'STATE').map(({ state }) => state);
