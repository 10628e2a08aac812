import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPage } from '../../src/client/page.js';
import { PAGE_LIMITS, type PageLimits } from '../../src/client/page-limits.js';
import { decodedJson } from '../../src/model/raw-json.js';
import type { Json } from '../../src/model/records.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function* chunked(body: Uint8Array, sizes: readonly number[] = []): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    if (at >= body.length) return;
    yield body.slice(at, at + size);
    at += size;
  }
  if (at < body.length) yield body.slice(at);
}

/** The same caps with another path to the JSON: everything through the streaming parser. */
const STREAMED: PageLimits = { ...PAGE_LIMITS, softBytes: 0 };
const PATHS = [
  ['read whole', PAGE_LIMITS],
  ['streamed', STREAMED],
] as const;

const read = (body: string | Uint8Array, limits?: PageLimits) =>
  readPage(chunked(typeof body === 'string' ? bytes(body) : body), { limits });

describe.each(PATHS)('a page that is %s', (_, limits) => {
  it.each([
    ['the whole contract', '{"data":[{"a":1}]}', { next: null, hasMore: false }],
    [
      'a page in the middle',
      '{"data":[{"a":1}],"has_more":true,"next_page":"t"}',
      { next: 't', hasMore: true },
    ],
    ['the last page', '{"data":[{"a":1}],"has_more":false,"next_page":null}', { next: null, hasMore: false }],
    [
      'an empty token at the end',
      '{"data":[{"a":1}],"has_more":false,"next_page":""}',
      { next: null, hasMore: false },
    ],
    ['no token at the end', '{"data":[{"a":1}],"has_more":false}', { next: null, hasMore: false }],
    ['a token without has_more', '{"data":[{"a":1}],"next_page":"t"}', { next: 't', hasMore: true }],
    ['has_more null', '{"data":[{"a":1}],"has_more":null,"next_page":null}', { next: null, hasMore: false }],
    ['a byte order mark', '\uFEFF{"data":[{"a":1}]}', { next: null, hasMore: false }],
    [
      'unknown fields around it',
      '{"x":[[{}]],"data":[{"a":1}],"y":{"data":null}}',
      { next: null, hasMore: false },
    ],
    ['white space around it', ' \n\t{"data" : [ {"a" : 1 } ] }\r\n ', { next: null, hasMore: false }],
    [
      'data twice: the last counts, as everywhere',
      '{"data":[{"b":2}],"data":[{"a":1}]}',
      { next: null, hasMore: false },
    ],
  ])('is understood: %s', async (_, body, expected) => {
    expect(await read(body, limits)).toMatchObject({ ...expected, records: [{ a: 1 }] });
  });

  it('may be empty and have a next page', async () => {
    const page = await read('{"data":[],"has_more":true,"next_page":"t"}', limits);
    expect(page).toMatchObject({ records: [], next: 't' });
  });

  it.each([
    ['body_empty', ''],
    ['body_empty', ' \n '],
    ['body_not_json', '<html>Please sign in</html>'],
    ['body_not_json', '{"data":[{"a":1}'],
    ['body_not_json', '{"data":[{"a":1}]} x'],
    ['body_not_json', '{"data":[{"a":1}]}{"data":[]}'],
    ['body_not_json', '{"data":[{"a":01}]}'],
    ['body_not_json', 'nul'],
    ['foreign_envelope', 'null'],
    ['foreign_envelope', '"data"'],
    ['foreign_envelope', '[{"a":1}]'],
    ['foreign_envelope', '17'],
    ['data_missing', '{}'],
    ['data_missing', '{"error":{"type":"api_error"}}'],
    ['data_missing', '{"data":null,"has_more":false}'],
    ['data_missing', '{"data":[{"a":1}],"data":null}'],
    ['data_missing', '{"__proto__":{"data":[]}}'],
    ['data_not_a_list', '{"data":{"0":{"a":1}}}'],
    ['data_not_a_list', '{"data":"[]"}'],
    ['record_not_an_object', '{"data":[{"a":1},null]}'],
    ['record_not_an_object', '{"data":[["a"]]}'],
    ['record_not_an_object', '{"data":["a"]}'],
    ['has_more_not_boolean', '{"data":[],"has_more":"false"}'],
    ['has_more_not_boolean', '{"data":[],"has_more":0}'],
    ['next_page_not_text', '{"data":[],"has_more":true,"next_page":7}'],
    ['next_page_not_text', '{"data":[],"has_more":true,"next_page":{"token":"t"}}'],
    ['next_page_not_text', `{"data":[],"has_more":true,"next_page":"${'t'.repeat(10_000)}"}`],
    ['next_page_missing', '{"data":[],"has_more":true}'],
    ['next_page_missing', '{"data":[],"has_more":true,"next_page":null}'],
    ['next_page_missing', '{"data":[],"has_more":true,"next_page":""}'],
    ['next_page_unexpected', '{"data":[{"a":1}],"has_more":false,"next_page":"t"}'],
    ['next_page_unexpected', '{"data":[],"has_more":false,"next_page":"t"}'],
    ['too_deep', `{"data":[{"a":${'['.repeat(62)}${']'.repeat(62)}}]}`],
    ['too_many_records', `{"data":[${'{},'.repeat(10_000)}{}]}`],
  ])('is refused as %s: %s', async (code, body) => {
    await expect(read(body, limits)).rejects.toMatchObject({ name: 'ProtocolError', code });
  });

  it('may nest 64 levels and list 10,000 records', async () => {
    const deep = `{"data":[{"a":${'['.repeat(61)}${']'.repeat(61)}}]}`;
    expect((await read(deep, limits)).records).toHaveLength(1);
    const many = `{"data":[${'{},'.repeat(9_999)}{}]}`;
    expect((await read(many, limits)).records).toHaveLength(10_000);
  });

  it.each([
    ['in a text', [0x22, 0xff, 0x22]],
    ['cut off in a text', [0x22, 0xc3, 0x22]],
    ['an overlong form', [0x22, 0xc0, 0xaf, 0x22]],
    ['a surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
  ])('is refused when it is not valid UTF-8: %s', async (_, value) => {
    const body = Buffer.concat([bytes('{"data":[{"a":'), Uint8Array.from(value), bytes('}]}')]);
    await expect(read(body, limits)).rejects.toMatchObject({ code: 'body_not_utf8' });
  });

  it('keeps names that mean something to JavaScript as fields of their own', async () => {
    const { records } = await read('{"data":[{"__proto__":{"x":1},"constructor":2,"toString":3}]}', limits);
    expect(Object.keys(records[0] as object)).toEqual(['__proto__', 'constructor', 'toString']);
    expect(Object.getPrototypeOf(records[0])).toBe(Object.prototype);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  it('is not read beyond its cap', async () => {
    let asked = 0;
    const endless = async function* () {
      yield bytes('{"data":["');
      for (;;) {
        asked += 1;
        yield new Uint8Array(1000).fill(0x61);
      }
    };
    const small = { ...limits, bytes: 10_000 };
    await expect(readPage(endless(), { limits: small })).rejects.toMatchObject({ code: 'body_too_large' });
    expect(asked).toBeLessThanOrEqual(10);
  });

  it('never quotes the body in its error', async () => {
    const error = await read('{"data":[{"email":"ada@example.com",}]}', limits).catch((e: Error) => e);
    expect(error).toBeInstanceOf(Error);
    expect(JSON.stringify([String(error), String((error as Error).cause)])).not.toContain('ada');
  });
});

it('stops at a text or number that is longer than any may be', async () => {
  const limits = { ...STREAMED, tokenBytes: 1000 };
  const body = bytes(`{"data":[{"a":"${'a'.repeat(5000)}"}]}`);
  await expect(readPage(chunked(body, [800, 800, 800]), { limits })).rejects.toMatchObject({
    code: 'body_too_large',
  });
  const many = bytes(`{"data":[${'{"a":"b"},'.repeat(500)}{}]}`);
  expect((await readPage(chunked(many, [800, 800, 800]), { limits })).records).toHaveLength(501);
});

it('stops at more tokens of JSON than memory should hold', async () => {
  const limits = { ...STREAMED, tokens: 1000 };
  await expect(read(`{"data":[{"a":[${'1,'.repeat(1000)}1]}]}`, limits)).rejects.toMatchObject({
    code: 'body_too_dense',
  });
});

it('gives a dense body, though not a large one, to the parser that has caps', async () => {
  const dense = `{"data":[{"a":[${'[],'.repeat(700_000)}[]]}]}`;
  await expect(read(dense)).rejects.toMatchObject({ code: 'body_too_dense' });
});

it('reads the same records as JSON.parse, however the body is cut into chunks and whichever parser reads it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.dictionary(
          fc.string({ unit: 'binary' }),
          fc.jsonValue({ depthSize: 'small', stringUnit: 'binary' }),
        ),
        { maxLength: 8 },
      ),
      fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 200 }),
      fc.constantFrom(0, 20, 100, 1_000_000),
      fc.constantFrom(undefined, 1),
      async (data, sizes, softBytes, indent) => {
        const text = JSON.stringify({ data, has_more: false, next_page: null }, undefined, indent);
        const { records, isRaw } = await readPage(chunked(bytes(text), sizes), {
          limits: { ...PAGE_LIMITS, softBytes },
        });
        expect(isRaw ? decodedJson(records as Json[]) : records).toEqual(
          (JSON.parse(text) as { data: unknown }).data,
        );
      },
    ),
    { numRuns: 80 },
  );
});

it.each([0, 1_000_000])('keeps byte order marks inside of texts (soft cap %i)', async (softBytes) => {
  const text = `\ufeff{"data":[{"id":"\ufeffa\\n\ufeffb","\ufeff":"${'x'.repeat(4095)}\ufeff${'x'.repeat(9000)}\ufeff"}],"has_more":false}`;
  const { records, isRaw } = await readPage(chunked(bytes(text), []), {
    limits: { ...PAGE_LIMITS, softBytes },
  });
  const { data } = JSON.parse(text.slice(1)) as { data: Json[] };
  expect(isRaw ? decodedJson(records as Json[]) : records).toEqual(data);
});

it('refuses the same bodies as JSON.parse, whichever parser reads them', async () => {
  const text = '{"data":[{"a":"é\\u00e9\\n","b":[1.5e3,-0,true,null]}],"has_more":false}';
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: bytes(text).length - 1 }),
      fc.nat({ max: 255 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 20 }),
      async (at, byte, sizes) => {
        const body = bytes(text);
        body[at] = byte;
        const outcome = (limits: PageLimits) =>
          readPage(chunked(body, sizes), { limits }).then(
            ({ records, next }) => ({ records, next }),
            // Which of the two is met first depends on where the chunks end.
            (error: { code: string }) => error.code.replace('body_not_utf8', 'body_not_json'),
          );
        expect(await outcome(STREAMED)).toEqual(await outcome(PAGE_LIMITS));
      },
    ),
    { numRuns: 1000 },
  );
});
