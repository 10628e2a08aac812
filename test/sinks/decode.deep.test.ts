import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Row } from '../../src/model/rows.js';
import type { Field, StreamSchema } from '../../src/model/schema.js';
import { createSink, decodeFile, sinkFormats } from '../../src/sinks/index.js';
import { organizations } from '../../src/streams/organizations.js';
import { users } from '../../src/streams/users.js';
import { runs } from '../property-runs.js';
import { anyRecords } from './arbitraries.js';
import { awkwardTables, awkwardUsers, ordinaryUsers, pagesOfUsers, rowsOf } from './awkward-rows.js';
import { batchesOf, decoded, inPieces, spelled } from './decoded.js';
import { encoded, inBatches } from './encoded.js';

const sinks = sinkFormats.flatMap((format) =>
  format.compressions.map((compression) => ({
    title: `${format.name}, ${compression}`,
    sink: format.create({ compression }),
  })),
);
const OPTIONAL = { nullable: true, description: '', origin: 'api' } as const;

describe.each(sinks)('a file of $title', ({ sink }) => {
  const bytesOf = (schema: StreamSchema, rows: readonly Row[]) => encoded(sink, schema, inBatches([rows]));
  const roundTrip = async (schema: StreamSchema, rows: readonly Row[], size?: number) =>
    await decoded({ sink, schema, bytes: inPieces(await bytesOf(schema, rows), size) });
  const expectBack = (read: readonly Row[], schema: StreamSchema, rows: readonly Row[]) => {
    expect(read.length).toBe(rows.length);
    // One by one: a difference within megabytes would be a long message.
    for (const [i, row] of rows.entries())
      expect(spelled(read[i] as Row, schema, sink.format), `row ${i}`).toEqual(
        spelled(row, schema, sink.format),
      );
  };

  it.each(awkwardTables)('gives back the awkward rows of $stream.name', async ({ stream, rows }) => {
    const read = await roundTrip(stream.schema, rows, 10_007);
    expectBack(read, stream.schema, rows);
    for (const row of read) expect(Object.keys(row)).toEqual(stream.schema.fields.map(({ name }) => name));
  });

  it.each(anyRecords({ byteOrderMark: true, minusZero: true }))(
    'gives back any rows of $stream.name',
    async ({ stream, record }) => {
      const pieces = fc.integer({ min: 1, max: 300 });
      await fc.assert(
        fc.asyncProperty(fc.array(record, { maxLength: 20 }), pieces, async (served, size) => {
          const rows = rowsOf(stream, served);
          expectBack(await roundTrip(stream.schema, rows, size), stream.schema, rows);
        }),
        { numRuns: runs(12) },
      );
    },
  );

  it.each([0, 1, 8191, 8192, 8193, 20_000])('gives back %i rows', async (count) => {
    const rows = Array.from({ length: count }, (_, i) => ({
      ...(ordinaryUsers[i % ordinaryUsers.length] as Row),
      id: `user_${i}`,
    }));
    const ids = (await roundTrip(users.schema, rows, 65_536)).map(({ id }) => id);
    expect(ids).toEqual(rows.map(({ id }) => id));
  });

  it('comes in batches of bounded size, even when its bytes come at once', async () => {
    const bytes = await encoded(sink, users.schema, pagesOfUsers(20));
    const large = ordinaryUsers.slice(0, 20).map((row) => ({ ...row, full_name: 'x'.repeat(750_000) }));
    const largest = async (file: Uint8Array) => {
      const sizes = [];
      for await (const { length } of batchesOf({ sink, schema: users.schema, bytes: inPieces(file) }))
        sizes.push(length);
      return Math.max(...sizes);
    };
    expect(await largest(bytes)).toBeLessThanOrEqual(8192);
    expect(await largest(await bytesOf(users.schema, large))).toBeLessThanOrEqual(3);
  });

  it('is refused when it is cut anywhere inside of a row', async () => {
    const bytes = await bytesOf(users.schema, ordinaryUsers.slice(0, 50));
    const step = Math.max(1, Math.floor(bytes.length / 60));
    for (let length = 1; length < bytes.length; length += step) {
      const isWholeRow = ['ndjson', 'csv'].includes(sink.extension) && bytes[length - 1] === 0x0a;
      if (isWholeRow) continue;
      const file = { sink, schema: users.schema, bytes: inPieces(bytes.subarray(0, length)) };
      await expect(decoded(file), `cut at ${length}`).rejects.toMatchObject({ name: 'SinkError' });
    }
  });

  // Apache's reader of Arrow files does not end on some of these. A file's SHA-256 is checked before it is decoded.
  const name = 'never gives fewer rows when bytes of it are changed';
  if (sink.format === 'arrow')
    console.log(`not run: ${name}, for Arrow: the library does not end on some damaged files`);
  it.skipIf(sink.format === 'arrow')(name, async () => {
    const bytes = await bytesOf(users.schema, awkwardUsers.slice(0, 40));
    // In plain text, a line end that is lost is one that a text could have had: the manifest has the file's hash.
    const mayJoin = sink.extension === 'csv';
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] as number) ^ flip;
        const file = { sink, schema: users.schema, bytes: inPieces(changed) };
        const result = await decoded(file).then(
          ({ length }) => length,
          (error: unknown) => (error as Error).name,
        );
        if (!mayJoin) expect([40, 'SinkError']).toContain(result);
      }),
      { numRuns: 200 },
    );
    expectBack(await roundTrip(users.schema, awkwardUsers), users.schema, awkwardUsers);
  });

  it('is refused when it is of another table, or has other types', async () => {
    const bytes = await bytesOf(users.schema, ordinaryUsers.slice(0, 3));
    const code =
      sink.extension.startsWith('parquet') || sink.format === 'arrow'
        ? 'file_of_another_schema'
        : 'file_unreadable';
    const { fields } = users.schema;
    const retyped = fields.map(
      (field): Field => (field.name === 'email' ? { ...field, type: 'boolean' } : field),
    );
    for (const [schema, expected] of [
      [organizations.schema, 'file_of_another_schema'],
      [{ ...users.schema, fields: fields.slice(0, -1) }, 'file_of_another_schema'],
      [{ ...users.schema, fields: fields.toReversed() }, 'file_of_another_schema'],
      [
        {
          ...users.schema,
          fields: [{ ...OPTIONAL, name: 'key', type: 'string', nullable: false }, ...fields],
        },
        'file_of_another_schema',
      ],
      [{ ...users.schema, fields: retyped }, code],
    ] as const) {
      await expect(decoded({ sink, schema, bytes: inPieces(bytes) })).rejects.toMatchObject({
        code: expected,
      });
    }
  });

  it('may be of an older version: the columns that were added are null', async () => {
    const rows = ordinaryUsers.slice(0, 3);
    const bytes = await bytesOf(users.schema, rows);
    const { fields } = users.schema;
    const added = (['json', 'boolean', 'timestamp'] as const).map((type) => ({
      ...OPTIONAL,
      name: type,
      type,
    }));
    const schema = { ...users.schema, fields: [...fields.slice(0, 2), ...added, ...fields.slice(2)] };
    const read = await decoded({ sink, schema, bytes: inPieces(bytes) });
    const expected = rows.map((row) => ({ ...row, json: null, boolean: null, timestamp: null }));
    expectBack(read, schema, expected);
  });

  it('is refused when a row lacks what every row must have', async () => {
    const { fields } = users.schema;
    const loose = { ...users.schema, fields: fields.map((field) => ({ ...field, nullable: true })) };
    const bytes = await bytesOf(loose, [
      ...ordinaryUsers.slice(0, 3),
      { ...(ordinaryUsers[0] as Row), id: null },
    ]);
    const file = { sink, schema: users.schema, bytes: inPieces(bytes) };
    await expect(decoded(file)).rejects.toMatchObject({ code: 'file_unreadable' });
  });

  it('passes on why its bytes cannot be read', async () => {
    const reason = new TypeError('no connection');
    const bytes = await bytesOf(users.schema, ordinaryUsers);
    async function* failing() {
      yield bytes.subarray(0, 100);
      throw reason;
    }
    await expect(decoded({ sink, schema: users.schema, bytes: failing() })).rejects.toBe(reason);
  });

  it('closes its bytes when the reader of the rows stops', async () => {
    let closed = false;
    async function* watched() {
      try {
        yield* inPieces(await bytesOf(users.schema, ordinaryUsers), 1000);
      } finally {
        closed = true;
      }
    }
    for await (const batch of batchesOf({ sink, schema: users.schema, bytes: watched() })) {
      expect(batch.length).toBeGreaterThan(0);
      break;
    }
    expect(closed).toBe(true);
  });
});

describe('an instant from a typed file', () => {
  it.each([
    ['2025-03-12T18:22:41.123456Z', '2025-03-12T18:22:41.123456Z'],
    ['2025-03-12T18:22:41.120Z', '2025-03-12T18:22:41.120000Z'],
    ['2025-03-12T18:22:41.000z', '2025-03-12T18:22:41Z'],
    ['2025-03-12T18:22:41+05:30', '2025-03-12T12:52:41Z'],
    ['1969-12-31T23:59:59.999Z', '1969-12-31T23:59:59.999000Z'],
    ['0000-01-01T00:00:00+01:00', '0000-01-01T22:59:00+23:59'],
    ['9999-12-31T23:30:00-01:00', '9999-12-31T00:31:00-23:59'],
    ['2025-03-12T18:22:41', '2025-03-12T18:22:41'],
    ['2025-03-12T18:22:41.1234567Z', '2025-03-12T18:22:41.1234567Z'],
    ['soon', 'soon'],
    ['', ''],
  ])('is in UTC, or as it was served: %j', async (created_at, expected) => {
    const rows = rowsOf(users, [
      { id: 'user_1', created_at },
      { id: 'user_2', created_at, seat: { tier: 1 } },
    ]);
    for (const sink of ['parquet', 'arrow'].map((format) => createSink(format))) {
      const bytes = inPieces(await encoded(sink, users.schema, inBatches([rows])));
      const read = await decoded({ sink, schema: users.schema, bytes });
      expect(read.map((row) => [row.created_at, row.extra])).toEqual([
        [expected, null],
        [expected, { seat: { tier: 1 } }],
      ]);
    }
  });
});

const SCHEMA: StreamSchema = {
  name: 'letters',
  description: '',
  primaryKey: [],
  fields: [
    { ...OPTIONAL, name: 'a', type: 'string' },
    { ...OPTIONAL, name: 'b', type: 'boolean' },
    { ...OPTIONAL, name: 'c', type: 'json' },
  ],
};
const textOf = async (format: string, text: string | Uint8Array, schema = SCHEMA) =>
  await decoded({ sink: createSink(format), schema, bytes: inPieces(Buffer.from(text)) });

describe('CSV', () => {
  it('distinguishes null from the empty text, and JSON texts from texts', async () => {
    expect(await textOf('csv', 'a,b,c\r\n,,\r\n"",true,"""x"""\r\n"a"",b\r\n",false,-1\r\n')).toEqual([
      { a: null, b: null, c: null },
      { a: '', b: true, c: 'x' },
      { a: 'a",b\r\n', b: false, c: -1 },
    ]);
  });

  it.each<[string | Buffer, string]>([
    ['a,b,c\r\nx,true\r\n', 'a cell too few'],
    ['a,b,c\r\nx,true,1,2\r\n', 'a cell too many'],
    ['a,b,c\r\nx,TRUE,1\r\n', 'a boolean in another form'],
    ['a,b,c\r\nx,"",1\r\n', 'an empty boolean'],
    ['a,b,c\r\nx,true,{\r\n', 'JSON that is none'],
    ['a,b,c\r\nx,true,""\r\n', 'an empty JSON text'],
    ['a,b,c\r\nx"y,true,1\r\n', 'a quote in a bare cell'],
    ['a,b,c\r\n"x"y,true,1\r\n', 'more after a quoted cell'],
    ['a,b,c\r\nx,true,1\n', 'a line feed alone'],
    ['a,b,c\nx,true,1\r\n', 'a header that ends in a line feed alone'],
    ['a,b,c\r\n\r\n', 'an empty line'],
    ['', 'nothing'],
    [Buffer.from('a,b,c\r\n\xff,true,1\r\n', 'latin1'), 'bytes that are no UTF-8'],
  ])('is refused: %j, %s', async (text) => {
    await expect(textOf('csv', text)).rejects.toMatchObject({
      code: expect.stringMatching(/^file_(unreadable|cut)$/),
    });
  });

  it('has JSON numbers that were guarded against being run as formulas, and other texts as they are', async () => {
    const sink = createSink('csv', { csvFormulaGuard: true });
    const rows = [
      { a: '=1', b: true, c: -1 },
      { a: "'", b: null, c: [-1] },
    ];
    const bytes = inPieces(await encoded(sink, SCHEMA, inBatches([rows])));
    expect(await decoded({ sink, schema: SCHEMA, bytes })).toEqual([
      { a: "'=1", b: true, c: -1 },
      { a: "'", b: null, c: [-1] },
    ]);
  });
});

describe('NDJSON', () => {
  it.each<[string | Buffer, string]>([
    ['{"a":"x","b":1,"c":1}', 'a number for a boolean'],
    ['{"a":1,"b":true,"c":1}', 'a number for a text'],
    ['{"a":"x","b":true,"c":1}\n{"a":"x","b":true}', 'lines with different columns'],
    ['{"a":"x","b":true,"c":1', 'JSON that is none'],
    ['["x",true,1]', 'a list'],
    ['null', 'null'],
    ['', 'an empty line'],
    [Buffer.from('{"a":"\xff","b":true,"c":1}', 'latin1'), 'bytes that are no UTF-8'],
  ])('is refused: %j, %s', async (text) => {
    const bytes = Buffer.concat([Buffer.from(text), Buffer.from('\n')]);
    await expect(textOf('ndjson', bytes)).rejects.toMatchObject({ code: 'file_unreadable' });
  });

  it('is refused where it names a column that the schema does not have', async () => {
    await expect(textOf('ndjson', '{"a":"x","b":true,"z":1}\n')).rejects.toMatchObject({
      code: 'file_of_another_schema',
    });
  });
});

describe('decodeFile', () => {
  it('does not quote what a file has', async () => {
    for (const [format, text] of [
      ['ndjson', '{"a":"ada@example.com}\n'],
      ['csv', 'a,b,c\r\nx,true,{"ada@example.com\r\n'],
      ['csv', 'a,b,c\r\nx,true,"{""ada@example.com"\r\n'],
    ] as const) {
      const error = await textOf(format, text).catch((error: unknown) => error);
      expect(error).toMatchObject({ name: 'SinkError' });
      expect((error as Error).cause).toBeUndefined();
      expect(String(error)).not.toContain('ada@');
    }
  });

  it('names the formats it knows when asked for another', async () => {
    const file = { format: 'xlsx', path: 'a.xlsx', schema: SCHEMA, bytes: inPieces(Buffer.from('')) };
    await expect(decodeFile(file).next()).rejects.toMatchObject({ code: 'unknown_format' });
  });
});
