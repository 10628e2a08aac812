import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPage } from '../../src/client/page.js';
import { batchMaker, type ColumnBatch } from '../../src/model/batch.js';
import { compactParser } from '../../src/model/records.js';
import { sinkFormats } from '../../src/sinks/index.js';
import { users } from '../../src/streams/users.js';
import { rowsOf } from './awkward-rows.js';
import { encoded, inBatches } from './encoded.js';

const ORG = '0d5f9d7c-6d65-4c6f-8a0a-0f3a0c8a6f11';

/** Letters of one to four bytes, what CSV must quote, and at times what JSON must escape. */
const text = fc.string({
  unit: fc.constantFrom('a', 'b', ',', ' ', '=', 'é', 'à', '\u00a0', '\u3000', '渡', '😀', '\ue000', '＝'),
  maxLength: 6,
});
const user = fc.record(
  {
    id: text.filter((id) => id !== ''),
    full_name: fc.oneof(text, fc.constantFrom(null, 'null', 'NaN', 7)),
    email: fc.oneof(text, fc.constant(null)),
    created_at: fc.constantFrom(
      null,
      '2024-05-06T07:08:09.123456Z',
      '2024-05-06T07:08:09.1234567Z',
      'hier à 3 h',
    ),
    other: fc.oneof(text, fc.dictionary(text, text)),
  },
  { requiredKeys: ['id'] },
);

/** The batch that a run makes of a body. */
async function batchOf(body: string): Promise<ColumnBatch> {
  async function* chunks() {
    yield Buffer.from(body);
  }
  const { parse } = compactParser(users);
  const { records, isPlain, isRaw } = await readPage(chunks());
  const make = batchMaker(
    users.schema,
    { organization_uuid: ORG, snapshot_date: '2026-11-23' },
    { surrogates: 0 },
  );
  return make({ records: records.map(parse), isPlain, isRaw });
}

const escaped = (body: string): string =>
  body.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

describe.each(sinkFormats)('the format $name', (format) => {
  it('makes the same bytes of a page whether its texts are escaped or not, and of its rows', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(user, { minLength: 1, maxLength: 8 }), async (served) => {
        const body = JSON.stringify({ data: served });
        const plain = await batchOf(body);
        const rows = rowsOf(users, served);
        expect([...plain]).toEqual(rows);
        const encode = (batch: Parameters<typeof inBatches>[0][number]) =>
          encoded(format.create(), users.schema, inBatches([batch]));
        const file = await encode(rows);
        expect((await encode(plain as never)).equals(file)).toBe(true);
        expect((await encode((await batchOf(escaped(body))) as never)).equals(file)).toBe(true);
        const [first, rest] = [plain.slice(0, 1), plain.slice(1, plain.length)];
        const parts = inBatches([first, rest, await batchOf(escaped(body))] as never[]);
        const both = await encoded(format.create(), users.schema, parts);
        expect(both.equals(await encode([...rows, ...rows]))).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

it('a page without escapes is read as raw text only where it holds more than ASCII', async () => {
  const of = async (name: string) => {
    const { isPlain, isRaw } = await batchOf(`{"data":[{"id":"user_1","full_name":"${name}"}]}`);
    return { isPlain, isRaw };
  };
  expect(await of('Ada')).toEqual({ isPlain: true, isRaw: false });
  expect(await of('Zoë')).toEqual({ isPlain: true, isRaw: true });
  expect(await of('Zo\\u00eb')).toEqual({ isPlain: false, isRaw: false });
});
