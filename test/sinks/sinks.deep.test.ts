import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Row } from '../../src/model/rows.js';
import type { StreamSchema } from '../../src/model/schema.js';
import { sinkFormats } from '../../src/sinks/index.js';
import { organizations } from '../../src/streams/organizations.js';
import { users } from '../../src/streams/users.js';
import { awkwardTables, awkwardUsers, ordinaryUsers, pagesOfUsers } from './awkward-rows.js';
import { encoded, inBatches } from './encoded.js';
import { expectedOf, isText } from './expected.js';
import { queryFile, type ReadRow, readersOf } from './readers.js';

const sinks = sinkFormats.flatMap((format) =>
  format.compressions.map((compression) => ({
    title: `${format.name}, ${compression}`,
    sink: format.create({ compression }),
  })),
);

it('has a reader of another implementation for every format', () => {
  expect(new Set(Object.keys(readersOf))).toEqual(new Set(sinkFormats.map(({ name }) => name)));
});

describe.each(sinks)('the sink $title', ({ sink }) => {
  const readers = readersOf[sink.format] ?? [];
  const expectRoundTrip = async (schema: StreamSchema, batches: readonly (readonly Row[])[]) => {
    const file = await encoded(sink, schema, inBatches(batches));
    const expected = batches.flat().map((row) => expectedOf(row, schema, sink.format));
    for (const { name, read, sees = (row: ReadRow) => row } of readers) {
      const rows = await read(file, sink.extension, schema);
      expect(rows.length, name).toBe(expected.length);
      // One by one: a difference within megabytes would be a long message.
      for (const [i, row] of rows.entries())
        expect(row, `${name}, row ${i}`).toEqual(sees(expected[i] as ReadRow));
    }
  };

  it('writes a file without rows that has its columns', async () => {
    await expectRoundTrip(users.schema, []);
    await expectRoundTrip(organizations.schema, [[]]);
  });

  it('writes one row', async () => {
    await expectRoundTrip(users.schema, [awkwardUsers.slice(0, 1)]);
  });

  it('holds every awkward value, whatever the batches', async () => {
    await expectRoundTrip(users.schema, [
      [],
      awkwardUsers.slice(0, 1),
      [],
      awkwardUsers.slice(1, 50),
      awkwardUsers.slice(50),
      [],
    ]);
  });

  it.each(awkwardTables)('holds every awkward row of $stream.name', async ({ stream, rows }) => {
    await expectRoundTrip(stream.schema, [rows]);
  });

  // Other readers drop the mark by themselves.
  if (readers.some(({ name }) => name === 'DuckDB')) {
    it('keeps a byte order mark at the beginning of a text', async () => {
      const rows = ordinaryUsers.slice(0, 2).map((row) => ({ ...row, full_name: '\ufeffA' }));
      const file = await encoded(sink, users.schema, inBatches([rows]));
      // In bytes, because what decodes the answer here would drop it.
      const read = await queryFile(
        file,
        sink.extension,
        (path) => `SELECT hex(full_name) AS bytes FROM '${path}'`,
      );
      expect(read).toEqual([{ bytes: 'EFBBBF41' }, { bytes: 'EFBBBF41' }]);
    });
  }

  it('gives the same bytes for the same rows, in whatever batches they come', async () => {
    const digest = async (batches: (readonly Row[])[]) =>
      createHash('sha256')
        .update(await encoded(sink, users.schema, inBatches(batches)))
        .digest('hex');
    const whole = await digest([ordinaryUsers]);
    expect(await digest([ordinaryUsers])).toBe(whole);
    expect(
      await digest([ordinaryUsers.slice(0, 1), ordinaryUsers.slice(1, 700), ordinaryUsers.slice(700)]),
    ).toBe(whole);
  });

  it('closes its batches when the reader of the bytes stops', async () => {
    let opened = false;
    let closed = false;
    async function* endless() {
      opened = true;
      try {
        yield* pagesOfUsers(Number.POSITIVE_INFINITY);
      } finally {
        closed = true;
      }
    }
    for await (const chunk of sink.encode(users.schema, endless())) {
      expect(chunk.length).toBeGreaterThan(0);
      if (opened) break;
    }
    expect(closed).toBe(true);
  });

  it('passes on an error of its source as it is, and leaves no file that looks complete', async () => {
    const reason = new Error('the organisation failed');
    async function* failing() {
      yield* pagesOfUsers(sink.format === 'parquet' ? 80 : 20); // more than a batch and a row group
      throw reason;
    }
    const chunks: Uint8Array[] = [];
    const reading = (async () => {
      for await (const chunk of sink.encode(users.schema, failing())) chunks.push(chunk);
    })();
    await expect(reading).rejects.toBe(reason);
    const left = Buffer.concat(chunks);
    expect(left.length).toBeGreaterThan(0);
    if (isText(sink.format) && !sink.extension.endsWith('.gz')) return; // half a text is a text, too
    for (const reader of readers) {
      await expect(reader.read(left, sink.extension, users.schema), reader.name).rejects.toThrow();
    }
  });

  it('refuses a row without a value that every row must have', async () => {
    const [row] = awkwardUsers as [Row];
    const broken = inBatches([[row, { ...row, id: null }]]);
    await expect(encoded(sink, users.schema, broken)).rejects.toMatchObject({
      code: 'required_value_missing',
    });
  });

  it('refuses a value of a type that the column cannot hold, and does not quote it', async () => {
    const [row] = awkwardUsers as [Row];
    const broken = inBatches([[{ ...row, email: 12345 as unknown as string }]]);
    const error = await encoded(sink, users.schema, broken).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: 'value_of_wrong_type' });
    expect(String(error)).not.toContain('12345');
  });
});
