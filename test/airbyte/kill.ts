import type { FixtureApi } from '../../fixtures/api/index.js';
import { catalogOf, configFor, file, keyOf, servedKeys } from './harness.js';
import { start, wholeLines } from './process.js';
import { errors, type Message, message, only, records } from './protocol.js';

/** What two runs together held, the first of them killed. */
export interface Killed {
  /** Records that were served and never came. */
  lost: number;
  /** Records of the second run that had come before the state it was given. */
  repeated: number;
  /** Whether the second run resumed, instead of starting over. */
  resumed: boolean;
}

/**
 * Kills reads at random points and resumes from the last state that came. A strict consumer keeps nothing that came
 * after that state; so does this.
 * @param options.fractions of the complete output, 0 to 1
 */
export async function* kills(
  api: FixtureApi,
  { stream, fractions }: { stream: string; fractions: readonly number[] },
): AsyncGenerator<Killed> {
  const config = file(configFor(api));
  const args = ['read', '--config', config, '--catalog', file(await catalogOf([stream]))];
  const served = servedKeys(api, stream);
  const length = (await readUntil(args, Number.POSITIVE_INFINITY)).bytes;
  for (const [turn, fraction] of fractions.entries()) {
    const signal = turn % 2 === 0 ? 'SIGKILL' : 'SIGTERM';
    const { messages } = await readKilled(args, length * fraction, signal);
    const end = messages.findLastIndex(({ type }) => type === 'STATE');
    const before = messages.slice(0, end + 1);
    const state = only(before, 'STATE').map(({ state }) => state);
    const after = await readUntil([...args, '--state', file(state)], Number.POSITIVE_INFINITY);
    if (after.code !== 0) {
      const reasons = errors(after.messages).map(({ message }) => message);
      throw new Error(`The second run ended with ${after.code}. ${[...reasons, after.stderr].join('\n')}`);
    }
    const first = new Set(records(before, stream).map(keyOf));
    const second = new Set(records(after.messages, stream).map(keyOf));
    yield {
      lost: [...served].filter((key) => !first.has(key) && !second.has(key)).length,
      repeated: [...second].filter((key) => first.has(key)).length,
      resumed: second.size < served.size,
    };
  }
}

interface Read {
  messages: Message[];
  bytes: number;
  code: number | null;
  stderr: string;
}

/** One that is killed: on a busy machine a read may end before the signal comes, and is then killed earlier. */
async function readKilled(args: readonly string[], bytes: number, signal: NodeJS.Signals): Promise<Read> {
  const read = await readUntil(args, Math.floor(bytes), signal);
  return hasEnded(read) ? await readKilled(args, bytes / 2, signal) : read;
}

/** Also by its last state: the signal may come between that and the end of the process. */
const hasEnded = ({ code, messages }: Read): boolean =>
  code === 0 || only(messages, 'STATE').at(-1)?.state.stream.stream_state.finished === true;

async function readUntil(
  args: readonly string[],
  bytes: number,
  signal: NodeJS.Signals = 'SIGKILL',
): Promise<Read> {
  const { child, ended } = start(args);
  const chunks: Buffer[] = [];
  let got = 0;
  for await (const chunk of (child.stdout ?? []) as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    got += chunk.length;
    if (got >= bytes) child.kill(signal);
  }
  const { code, stderr } = await ended;
  return { messages: wholeLines(chunks).map(parse), bytes: got, code, stderr };
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
