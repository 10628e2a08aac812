import { randomBytes } from 'node:crypto';
import { tableFromIPC } from '@uwdata/flechette';
import { parquetMetadata } from 'hyparquet';
import { wasmMemory } from 'parquet-wasm';
import { describe, expect, it } from 'vitest';
import { SinkError } from '../../src/errors.js';
import type { Row } from '../../src/model/rows.js';
import type { StreamSchema } from '../../src/model/schema.js';
import { describeArrow } from '../../src/sinks/describe-arrow.js';
import { createSink } from '../../src/sinks/index.js';
import { rowsOfFooter } from '../../src/sinks/parquet-footer.js';
import { users } from '../../src/streams/users.js';
import { awkwardUsers, ordinaryUsers, pagesOfUsers, rowsOf } from './awkward-rows.js';
import { encoded, inBatches } from './encoded.js';
import { queryFile } from './readers.js';

const fileOf = (format: string, rows: readonly Row[]) =>
  encoded(createSink(format), users.schema, inBatches([rows]));
const metadataOf = (file: Buffer) => parquetMetadata(new Uint8Array(file).buffer);

/** Users with names of a megabyte each, which no encoder makes much smaller. */
const largeUsers = ordinaryUsers
  .slice(0, 25)
  .map((row) => ({ ...row, full_name: randomBytes(750_000).toString('base64') }));

/** The typed column and `extra` of a user created at a time, as DuckDB reads them. */
async function created(created_at: string | null) {
  const file = await fileOf('parquet', rowsOf(users, [{ id: 'user_1', created_at }]));
  const [row] = await queryFile(
    file,
    'parquet',
    (path) => `SELECT created_at::VARCHAR AS at, extra FROM '${path}'`,
  );
  return row;
}

describe('a timestamp that its column cannot hold', () => {
  it.each([
    ['2024-05-06T07:08:09.123456789Z', '2024-05-06 07:08:09.123456+00'],
    ['1969-12-31T23:59:58.9999999Z', '1969-12-31 23:59:58.999999+00'],
    ['2016-12-31T23:59:60Z', null],
    ['yesterday', null],
    ['', null],
  ])('is cut or null, and stays in extra as it was served: %j', async (text, at) => {
    expect(await created(text)).toEqual({ at, extra: JSON.stringify({ created_at: text }) });
  });

  it.each([
    ['2024-05-06T07:08:09.123456Z', '2024-05-06 07:08:09.123456+00'],
    ['2024-05-06T12:38:09.123456000+05:30', '2024-05-06 07:08:09.123456+00'],
    ['0001-01-01T00:00:00Z', '0001-01-01 00:00:00+00'],
    ['9999-12-31T23:59:59.999999Z', '9999-12-31 23:59:59.999999+00'],
    [null, null],
  ])('leaves no trace in extra where the column holds it: %j', async (text, at) => {
    expect(await created(text)).toEqual({ at, extra: null });
  });

  it('is refused where extra holds something else under its name', async () => {
    const [row] = rowsOf(users, [{ id: 'user_1', created_at: 'yesterday' }]) as [Row];
    const rows = [{ ...row, extra: { created_at: 7 } }];
    await expect(fileOf('parquet', rows)).rejects.toThrow(SinkError);
    await expect(fileOf('parquet', rows)).rejects.toMatchObject({ code: 'timestamp_without_place' });
  });
});

describe('a day that is none', () => {
  it.each(['parquet', 'arrow'])('is refused by %s', async (format) => {
    const rows = [{ ...(ordinaryUsers[0] as Row), snapshot_date: '2026-02-30' }];
    await expect(fileOf(format, rows)).rejects.toMatchObject({ code: 'value_not_a_date' });
  });
});

describe('the columns of Parquet', () => {
  it('have true types', async () => {
    const rows = await queryFile(
      await fileOf('parquet', ordinaryUsers),
      'parquet',
      (path) => `DESCRIBE FROM '${path}'`,
    );
    expect(Object.fromEntries(rows.map((row) => [row.column_name, row.column_type]))).toEqual({
      organization_uuid: 'VARCHAR',
      id: 'VARCHAR',
      full_name: 'VARCHAR',
      email: 'VARCHAR',
      organization_role: 'VARCHAR',
      created_at: 'TIMESTAMP WITH TIME ZONE',
      snapshot_date: 'DATE',
      extra: 'VARCHAR',
    });
  });

  it('may be null where the schema says so', async () => {
    const { schema } = metadataOf(await fileOf('parquet', []));
    expect(schema.slice(1).map(({ name, repetition_type }) => [name, repetition_type])).toEqual(
      users.schema.fields.map(({ name, nullable }) => [name, nullable ? 'OPTIONAL' : 'REQUIRED']),
    );
  });

  it('have statistics by which no reader skips a row that is there', async () => {
    const texts = awkwardUsers
      .map((row) => row.full_name)
      .filter((text) => typeof text === 'string' && text.length < 1e6);
    const literals = texts
      .map((text) => `('${String(text).replaceAll("'", "''")}')`)
      .filter((text) => !text.includes('\0'));
    for (const order of [1, -1]) {
      // A file for each text, so that its row group is skipped or read for that text alone.
      const rows = awkwardUsers
        .filter((row) => texts.includes(row.full_name as string))
        .toSorted(() => order);
      const file = await fileOf('parquet', rows);
      const [missing] = await queryFile(
        file,
        'parquet',
        (path) =>
          `SELECT count(*)::INT AS n FROM (VALUES ${literals}) t(x) WHERE NOT EXISTS (FROM '${path}' WHERE full_name = x)`,
      );
      expect(missing).toEqual({ n: 0 });
    }
    const [group] = metadataOf(await fileOf('parquet', ordinaryUsers)).row_groups;
    const ids = group?.columns[1]?.meta_data?.statistics;
    expect([ids?.min_value, ids?.max_value]).toEqual(['user_0', 'user_999']);
  });
});

describe('the row groups of Parquet', () => {
  it('have at most 50,000 rows', async () => {
    const { row_groups } = metadataOf(await encoded(createSink('parquet'), users.schema, pagesOfUsers(60)));
    expect(row_groups.map((group) => Number(group.num_rows))).toEqual([50_000, 10_000]);
  });

  it('are closed earlier when their rows are large', async () => {
    const { row_groups } = metadataOf(await fileOf('parquet', largeUsers));
    expect(row_groups.length).toBeGreaterThan(1);
    expect(row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0)).toBe(largeUsers.length);
  });
});

describe('the footer of Parquet', () => {
  it('says how many rows there are', async () => {
    for (const count of [0, 1, 63, 64, 1000]) {
      expect(rowsOfFooter(await fileOf('parquet', ordinaryUsers.slice(0, count)))).toBe(count);
    }
    expect(rowsOfFooter(await encoded(createSink('parquet'), users.schema, pagesOfUsers(51)))).toBe(51_000);
  });

  it('is missed in a file that is cut', async () => {
    const file = await fileOf('parquet', ordinaryUsers);
    expect(rowsOfFooter(file.subarray(0, -1))).toBeUndefined();
    expect(rowsOfFooter(file.subarray(-100))).toBeUndefined();
    expect(rowsOfFooter(Buffer.alloc(0))).toBeUndefined();
  });
});

describe('the heap of the Parquet encoder', () => {
  it('does not grow with files that are given up', async () => {
    const giveUp = async () => {
      for await (const _ of createSink('parquet').encode(users.schema, inBatches([largeUsers]))) break;
    };
    const bytes = () => (wasmMemory() as { buffer: ArrayBuffer }).buffer.byteLength;
    for (let i = 0; i < 2; i += 1) await giveUp();
    const before = bytes();
    for (let i = 0; i < 4; i += 1) await giveUp();
    expect(bytes() - before).toBeLessThan(2 * 1024 * 1024);
  });
});

describe('Arrow', () => {
  it('has the types that its schema says', async () => {
    const { schema } = tableFromIPC(await fileOf('arrow', []));
    expect(schema.fields.map(({ name, nullable, type }) => [name, nullable, type.typeId])).toEqual(
      users.schema.fields.map(({ name, nullable, type }) => [
        name,
        nullable,
        { string: 5, json: 5, timestamp: 10, date: 8, boolean: 6 }[type],
      ]),
    );
    expect(schema.fields[5]?.type).toMatchObject({ unit: 2, timezone: 'UTC' });
    expect(describeArrow(users.schema).split('\n').slice(4)).toEqual([
      'organization_role: Utf8',
      'created_at: Timestamp<MICROSECOND, UTC>',
      'snapshot_date: Date32<DAY> not null',
      'extra: Utf8',
    ]);
  });

  it('cuts its record batches by rows and by bytes', async () => {
    const lengths = async (batches: AsyncIterable<readonly Row[]>) => {
      const table = tableFromIPC(await encoded(createSink('arrow'), users.schema, batches));
      return (table.getChild('id') as unknown as { data: { length: number }[] }).data.map(
        ({ length }) => length,
      );
    };
    expect(await lengths(pagesOfUsers(20))).toEqual([8192, 8192, 3616]);
    const large = ordinaryUsers.slice(0, 10).map((row) => ({ ...row, full_name: 'x'.repeat(750_000) }));
    expect(await lengths(inBatches([large]))).toEqual([3, 3, 3, 1]);
  });
});

describe('a schema of other columns', () => {
  it('is written as Parquet', async () => {
    const schema: StreamSchema = {
      name: 'events',
      description: '',
      primaryKey: ['day'],
      fields: [
        { name: 'day', type: 'date', nullable: true, description: '', origin: 'api' },
        { name: 'first', type: 'timestamp', nullable: true, description: '', origin: 'api' },
        { name: 'last', type: 'timestamp', nullable: true, description: '', origin: 'api' },
        { name: 'extra', type: 'json', nullable: true, description: '', origin: 'connector' },
      ],
    };
    const rows = [
      { day: '1969-12-30', first: 'soon', last: 'late', extra: { a: 1 } },
      { day: null, first: null, last: '1970-01-01T00:00:00Z', extra: null },
    ];
    const file = await encoded(createSink('parquet'), schema, inBatches([rows]));
    const read = await queryFile(file, 'parquet', (path) => `SELECT COLUMNS(*)::VARCHAR FROM '${path}'`);
    expect(read).toEqual([
      { day: '1969-12-30', first: null, last: null, extra: '{"a":1,"first":"soon","last":"late"}' },
      { day: null, first: null, last: '1970-01-01 00:00:00+00', extra: null },
    ]);
  });
});
