import type { FixtureApi } from '../../fixtures/api/index.js';
import { configFor, file, fullCatalog, keyOf, servedKeys } from './harness.js';
import { start, wholeLines } from './process.js';
import { type Message, message, only, records } from './protocol.js';

/** What two runs together held, the first of them killed. */
export interface Killed {
  /** Memberships that were served and never came. */
  lost: number;
  /** Records of the second run that had come before the state it was given. */
  repeated: number;
  /** Whether the second run went on, rather than began anew. */
  wentOn: boolean;
}

/**
 * Kills reads at random points and goes on from the last state that came. A consumer that is strict keeps nothing
 * that came after that state; so does this.
 * @param fractions of the whole output, 0 to 1
 */
export async function* kills(api: FixtureApi, fractions: readonly number[]): AsyncGenerator<Killed> {
  const config = file(configFor(api));
  const args = ['read', '--config', config, '--catalog', file(await fullCatalog())];
  const served = servedKeys(api);
  const length = (await readUntil(args, Number.POSITIVE_INFINITY)).bytes;
  for (const [turn, fraction] of fractions.entries()) {
    const signal = turn % 2 === 0 ? 'SIGKILL' : 'SIGTERM';
    const { messages } = await readUntil(args, Math.floor(length * fraction), signal);
    const end = messages.findLastIndex(({ type }) => type === 'STATE');
    const before = messages.slice(0, end + 1);
    const state = only(before, 'STATE').map(({ state }) => state);
    const after = await readUntil([...args, '--state', file(state)], Number.POSITIVE_INFINITY);
    if (after.code !== 0) throw new Error('the second run failed');
    const first = new Set(records(before, 'users').map(keyOf));
    const second = new Set(records(after.messages, 'users').map(keyOf));
    yield {
      lost: [...served].filter((key) => !first.has(key) && !second.has(key)).length,
      repeated: [...second].filter((key) => first.has(key)).length,
      wentOn: second.size < served.size,
    };
  }
}

async function readUntil(
  args: readonly string[],
  bytes: number,
  signal: NodeJS.Signals = 'SIGKILL',
): Promise<{ messages: Message[]; bytes: number; code: number | null }> {
  const { child, ended } = start(args);
  const chunks: Buffer[] = [];
  let got = 0;
  for await (const chunk of (child.stdout ?? []) as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    got += chunk.length;
    if (got >= bytes) child.kill(signal);
  }
  const { code } = await ended;
  return { messages: wholeLines(chunks).map(parse), bytes: got, code };
}

/** Ten million records are not checked one by one here: other tests do. */
const parse = (line: string): Message => {
  const json = JSON.parse(line) as Message;
  return json.type === 'RECORD' ? json : message.parse(json);
};

/** Numbers from 0 to 1 that look random and are the same each time. */
export function* randomFractions(seed: number, count: number): Generator<number> {
  let state = seed;
  for (let n = 0; n < count; n += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}
