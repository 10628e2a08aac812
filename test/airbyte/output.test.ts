import { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { log } from '../../connectors/airbyte/messages.js';
import { openOutput } from '../../connectors/airbyte/output.js';
import type { RecordLines } from '../../connectors/airbyte/record-lines.js';
import { rawOf } from '../../src/index.js';
import { parseLines } from './protocol.js';

const lineOf = (n: number, text = 'x'.repeat(1_000)): string => {
  const record = { stream: 'users', data: { n: String(n), text }, emitted_at: Date.UTC(2026, 10, 23) };
  return `${JSON.stringify({ type: 'RECORD', record })}\n`;
};

const records = (n: number, text?: string): RecordLines => ({
  records: 1,
  text: lineOf(n, text),
  isRaw: false,
});

/** A reader that takes a chunk only when `take` is called. */
function reader() {
  const taken: string[] = [];
  let take: (() => void) | undefined;
  const stdout = new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _, callback) {
      take = () => {
        take = undefined;
        taken.push(chunk.toString());
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
      for (; sent < 1_000; sent += 1) await output.sendRecords(records(sent));
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

  it('writes nothing once the signal has aborted, and ends the waits', async () => {
    const { stdout, taken, take } = reader();
    const ending = new AbortController();
    const output = openOutput(stdout, ending.signal);
    const waiting = (async () => {
      for (let n = 0; ; n += 1) await output.sendRecords(records(n));
    })();
    await turn();
    ending.abort(new Error('ended'));
    await expect(waiting).rejects.toThrow('ended');
    output.write(log('INFO', 'too late'));
    await expect(output.sendRecords(records(-1))).rejects.toThrow('ended');
    await output.flush();
    for (let n = 0; n < 100; n += 1) {
      take();
      await turn();
    }
    const numbers = parseLines(taken.join('')).map(
      (message) => message.type === 'RECORD' && message.record.data.n,
    );
    expect(numbers).toEqual(Object.keys(numbers));
  });

  it('writes no character within a line that some reader takes for its end', async () => {
    const { stdout, taken, take } = reader();
    const output = openOutput(stdout, new AbortController().signal);
    const text = 'next\u0085line\u2028separator\u2029paragraph\nfeed';
    await output.sendRecords(records(1, text));
    take();
    await output.sendRecords({ ...records(2), text: rawOf(lineOf(2, `${text} é 語`)), isRaw: true });
    take();
    output.write(log('INFO', text));
    take();
    expect(taken.join('')).not.toMatch(/[\u0085\u2028\u2029]/);
    expect(parseLines(taken.join(''))).toMatchObject([
      { record: { data: { text } } },
      { record: { data: { text: `${text} é 語` } } },
      { log: { message: text } },
    ]);
  });
});
