import { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { log, type Message } from '../../connectors/airbyte/messages.js';
import { openOutput } from '../../connectors/airbyte/output.js';
import { parseLines } from './protocol.js';

const record = (n: number, text = 'x'.repeat(1_000)): Message => ({
  type: 'RECORD',
  record: { stream: 'users', data: { n: String(n), text }, emitted_at: Date.UTC(2026, 10, 23) },
});

/** A reader that takes a chunk only when `take` is called. */
function reader() {
  const taken: string[] = [];
  let take: (() => void) | undefined;
  const stdout = new Writable({
    decodeStrings: false,
    write(chunk: string, _, callback) {
      take = () => {
        take = undefined;
        taken.push(chunk);
        callback();
      };
    },
  });
  return { stdout, taken, take: () => take?.() };
}

describe('the output', () => {
  it('waits for its reader, and loses nothing', async () => {
    const { stdout, taken, take } = reader();
    const output = openOutput(stdout, new AbortController().signal);
    let sent = 0;
    const all = (async () => {
      for (; sent < 1_000; sent += 1) await output.send(record(sent));
      await output.flush();
    })();
    for (let n = 0; n < 50; n += 1) await turn();
    expect(sent).toBeLessThan(100);
    let done = false;
    void all.then(() => (done = true));
    while (!done) {
      take();
      await turn();
    }
    expect(parseLines(taken.join(''))).toHaveLength(1_000);
  });

  it('writes at once what is not a record', async () => {
    const { stdout, taken, take } = reader();
    const output = openOutput(stdout, new AbortController().signal);
    output.write(record(1));
    take();
    expect(taken).toEqual([]);
    output.write(log('INFO', 'at once'));
    take();
    expect(parseLines(taken.join(''))).toHaveLength(2);
  });

  it('writes nothing once the signal has aborted, and ends the waits', async () => {
    const { stdout, taken, take } = reader();
    const ending = new AbortController();
    const output = openOutput(stdout, ending.signal);
    const waiting = (async () => {
      for (let n = 0; ; n += 1) await output.send(record(n));
    })();
    await turn();
    ending.abort(new Error('ended'));
    await expect(waiting).rejects.toThrow('ended');
    take();
    const before = taken.length;
    output.write(log('INFO', 'too late'));
    await output.flush();
    take();
    expect(taken.length).toBe(before);
  });

  it('writes no character within a line that some reader takes for its end', async () => {
    const { stdout, taken, take } = reader();
    const output = openOutput(stdout, new AbortController().signal);
    const text = 'next\u0085line\u2028separator\u2029paragraph\nfeed';
    output.write(record(1, text));
    output.write(log('INFO', 'end'));
    take();
    expect(taken.join('')).not.toMatch(/[\u0085\u2028\u2029]/);
    const [message] = parseLines(taken.join(''));
    expect(message).toMatchObject({ record: { data: { text } } });
  });
});
