import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Row } from '../../src/model/rows.js';
import type { StreamSchema } from '../../src/model/schema.js';
import { createSink } from '../../src/sinks/index.js';
import type { SinkOptions } from '../../src/sinks/sink.js';
import { users } from '../../src/streams/users.js';
import { ordinaryUsers, pagesOfUsers, rowsOf } from './awkward-rows.js';
import { encoded, inBatches } from './encoded.js';

const textOf = async (format: string, rows: readonly Row[], options?: SinkOptions, schema = users.schema) =>
  (await encoded(createSink(format, options), schema, inBatches([rows]))).toString();

const USER = {
  id: 'user_1',
  full_name: 'Ada',
  email: 'a@example.com',
  organization_role: 'admin',
  created_at: null,
};
const rowWith = (change: object) => rowsOf(users, [{ ...USER, ...change }]);

/** The cells of the only row. */
const csvLine = async (change: object, options?: SinkOptions) =>
  (await textOf('csv', rowWith(change), options)).split('\r\n').slice(1).join('\r\n').trimEnd();

const ORG = '0d5f9d7c-6d65-4c6f-8a0a-0f3a0c8a6f11';

describe('CSV', () => {
  it('has a header and ends every line in CRLF', async () => {
    expect(await textOf('csv', rowWith({}))).toBe(
      'organization_uuid,id,full_name,email,organization_role,created_at,snapshot_date,extra\r\n' +
        `${ORG},user_1,Ada,a@example.com,admin,,2026-11-23,\r\n`,
    );
  });

  it('leaves a null cell empty and writes the empty text as ""', async () => {
    expect(await csvLine({ full_name: null, email: '' })).toBe(`${ORG},user_1,,"",admin,,2026-11-23,`);
  });

  it('quotes what would be read as something else, and doubles the quotes', async () => {
    for (const [text, cell] of [
      ['a "b"', '"a ""b"""'],
      ['a,b', '"a,b"'],
      ['a\nb', '"a\nb"'],
      ['a\rb', '"a\rb"'],
      ['a\r\nb', '"a\r\nb"'],
      [' a', '" a"'],
      ['a\t', '"a\t"'],
      ['a;b', 'a;b'],
      ['\\N', '"\\N"'],
      ['NULL', '"NULL"'],
      ['N/A', '"N/A"'],
      ['nullable', 'nullable'],
      ['#', '"#"'],
      ['#12345', '"#12345"'],
      ['a#b', 'a#b'],
    ]) {
      expect(await csvLine({ full_name: text })).toBe(
        `${ORG},user_1,${cell},a@example.com,admin,,2026-11-23,`,
      );
    }
  });

  it('writes extra as JSON text', async () => {
    expect(await csvLine({ seats: [1, -0], extra: { a: '"' } })).toBe(
      `${ORG},user_1,Ada,a@example.com,admin,,2026-11-23,"{""seats"":[1,-0],""extra"":{""a"":""\\""""}}"`,
    );
  });

  it('keeps formulas as they are, unless it is asked to guard', async () => {
    for (const text of ['=1+1', '+49 30 1234', '-2', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '＝1+1']) {
      const [plain, guarded] = [
        await csvLine({ full_name: text }),
        await csvLine({ full_name: text }, { csvFormulaGuard: true }),
      ];
      const cell = (value: string) => (/[\r\n]|^\s/.test(value) ? `"${value}"` : value);
      expect(plain).toContain(`user_1,${cell(text)},a@`);
      expect(guarded).toContain(`user_1,${/[\r\n]/.test(text) ? `"'${text}"` : `'${text}`},a@`);
    }
    expect(await csvLine({ full_name: 'a=b' }, { csvFormulaGuard: true })).toContain(',a=b,');
  });

  it('separates its columns where the first ones are null', async () => {
    const field = { type: 'string', nullable: true, description: '', origin: 'api' } as const;
    const schema: StreamSchema = {
      name: 'letters',
      description: '',
      primaryKey: ['c'],
      fields: ['a', 'b', 'c'].map((name) => ({ ...field, name })),
    };
    expect(await textOf('csv', [{ a: null, b: null, c: 'x' }], {}, schema)).toBe('a,b,c\r\n,,x\r\n');
  });
});

describe('NDJSON', () => {
  it('carries every column in the order of the schema, nulls too, and nests extra', async () => {
    const [row] = rowWith({ created_at: '2024-01-01T00:00:00.123456789+02:00', z: { a: [1] } }) as [Row];
    const shuffled = Object.fromEntries(Object.entries({ ...row, email: null, foreign: 'column' }).reverse());
    expect(await textOf('ndjson', [shuffled])).toBe(
      `{"organization_uuid":"${ORG}","id":"user_1","full_name":"Ada","email":null,"organization_role":"admin",` +
        '"created_at":"2024-01-01T00:00:00.123456789+02:00","snapshot_date":"2026-11-23","extra":{"z":{"a":[1]}}}\n',
    );
  });

  it('keeps a field called __proto__, however deep', async () => {
    const served = JSON.parse('{"id":"user_1","__proto__":{"a":1},"b":{"__proto__":[]}}');
    expect(await textOf('ndjson', rowsOf(users, [served]))).toContain(
      '"extra":{"__proto__":{"a":1},"b":{"__proto__":[]}}}\n',
    );
  });
});

describe.each(['csv', 'ndjson'])('the chunks of %s', (format) => {
  it('are about 128 KiB long', async () => {
    const sizes: number[] = [];
    for await (const { length } of createSink(format).encode(users.schema, pagesOfUsers(10)))
      sizes.push(length);
    expect(sizes.length).toBeGreaterThan(5);
    for (const size of sizes.slice(0, -1)) expect(size).toBeGreaterThanOrEqual(128 * 1024);
    expect(Math.max(...sizes)).toBeLessThan(130 * 1024);
  });

  it('ask for rows only as they are taken', async () => {
    let pages = 0;
    async function* counted() {
      for await (const page of pagesOfUsers(100)) {
        pages += 1;
        yield page;
      }
    }
    for (const compression of ['none', 'gzip']) {
      pages = 0;
      for await (const chunk of createSink(format, { compression }).encode(users.schema, counted())) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      expect(pages).toBeLessThanOrEqual(2); // of about 130 KB as CSV
    }
  });

  it('are the same text when they were compressed', async () => {
    const plain = await encoded(createSink(format), users.schema, pagesOfUsers(3));
    const compressed = await encoded(
      createSink(format, { compression: 'gzip' }),
      users.schema,
      pagesOfUsers(3),
    );
    expect(gunzipSync(compressed).equals(plain)).toBe(true);
    expect(plain.toString().split('\n').length).toBeGreaterThan(ordinaryUsers.length * 3);
  });
});
