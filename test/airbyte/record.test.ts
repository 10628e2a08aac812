import { describe, expect, it } from 'vitest';
import { recordWriter } from '../../connectors/airbyte/record-lines.js';
import { type Extra, type Json, jsonText, textOf, users } from '../../src/index.js';
import { parseLines } from './protocol.js';

const added = { organization_uuid: 'o', snapshot_date: '2026-11-23' };
const EMITTED_AT = Date.UTC(2026, 10, 23);

interface Page {
  records: Extra[];
  isPlain: boolean;
  isRaw: boolean;
}

/** The RECORD messages of a page. */
function messages(page: Page, schema = users.schema) {
  const { records, text, isRaw } = recordWriter({ stream: users, schema }, added, { surrogates: 0 })(
    page,
    EMITTED_AT,
  );
  const parsed = parseLines(isRaw ? textOf(text) : text);
  expect(parsed.length).toBe(records);
  return parsed.flatMap((message) => (message.type === 'RECORD' ? [message.record] : []));
}

const user = (served: Extra): Extra => ({
  id: 'user_1',
  full_name: null,
  email: '',
  organization_role: 'user',
  ...served,
});

function record(created_at: string | null, extra: Extra = {}, schema = users.schema) {
  const served = user({ created_at, ...(Object.keys(extra).length > 0 && { extra }) });
  const [message] = messages({ records: [served], isPlain: false, isRaw: false }, schema);
  if (!message) throw new Error('no record');
  return message;
}

describe('the instants of a record', () => {
  it.each([
    ['2024-05-06T07:08:09Z', '2024-05-06T07:08:09Z'],
    ['2024-05-06T07:08:09.120Z', '2024-05-06T07:08:09.120Z'],
    ['2024-05-06T07:08:09.123456Z', '2024-05-06T07:08:09.123456Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00Z'],
    ['2024-05-06t07:08:09z', '2024-05-06T07:08:09Z'],
    ['2024-01-01T00:30:00+02:00', '2023-12-31T22:30:00Z'],
    ['2024-01-01T00:30:00.5-00:30', '2024-01-01T01:00:00.500000Z'],
    ['1969-12-31T23:59:59.000001Z', '1969-12-31T23:59:59.000001Z'],
    ['1969-12-31T22:59:59.000001-01:00', '1969-12-31T23:59:59.000001Z'],
    ['2024-05-06T07:08:09.123456000Z', '2024-05-06T07:08:09.123456Z'],
  ])('%s is held exactly, as %s', (text, held) => {
    expect(record(text)).toMatchObject({ data: { created_at: held, extra: null } });
    expect(record(text).meta).toBeUndefined();
  });

  it.each([
    ['2023-03-04T05:06:07.123456789+02:00', '2023-03-04T03:06:07.123456Z'],
    ['2023-03-04T05:06:07.1234560001', '2023-03-04T05:06:07.123456Z'],
  ])('%s has more than six digits: cut, reported, and kept as served in extra', (text, held) => {
    expect(record(text, { more: 1 })).toMatchObject({
      data: { created_at: held, extra: { more: 1, created_at: text } },
      meta: {
        changes: [{ field: 'created_at', change: 'TRUNCATED', reason: 'SOURCE_SERIALIZATION_ERROR' }],
      },
    });
  });

  it.each([
    '',
    'soon',
    '2024-02-30T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '2024-05-06 07:08:09Z',
    '9999-12-31T23:59:59-01:00',
    '0000-06-01T00:00:00Z',
    '0001-01-01T00:00:00+01:00',
  ])('%j is no instant: null, reported, and kept as served in extra', (text) => {
    expect(record(text)).toMatchObject({
      data: { created_at: null, extra: { created_at: text } },
      meta: { changes: [{ field: 'created_at', change: 'NULLED', reason: 'SOURCE_SERIALIZATION_ERROR' }] },
    });
  });

  it.each([
    ['2025-03-12T18:22:41.123456', '2025-03-12T18:22:41.123456Z'],
    ['2025-03-12T18:22:41.1', '2025-03-12T18:22:41.100000Z'],
    ['2025-03-12T18:22:41.123456000', '2025-03-12T18:22:41.123456Z'],
    ['0001-01-01T00:00:00', '0001-01-01T00:00:00Z'],
  ])('%s has no offset: read as UTC and kept as served in extra, but not reported as lost', (text, held) => {
    expect(record(text)).toMatchObject({ data: { created_at: held, extra: { created_at: text } } });
    expect(record(text).meta).toBeUndefined();
  });

  it('that were never served are null, and nothing is reported', () => {
    expect(record(null)).toMatchObject({ data: { created_at: null, extra: null } });
    expect(record(null).meta).toBeUndefined();
  });
});

describe('a field that is not text', () => {
  it('is null, reported, and kept in extra', () => {
    const { data, meta } = record(null, { full_name: 42 });
    expect(data).toMatchObject({ full_name: null, extra: { full_name: 42 } });
    expect(meta?.changes.map(({ field, change }) => [field, change])).toEqual([['full_name', 'NULLED']]);
  });

  it('is reported also when extra is not among the columns asked for', () => {
    const fields = users.schema.fields.filter(({ name }) => name !== 'extra');
    const { data, meta } = record(null, { full_name: 42 }, { ...users.schema, fields });
    expect(data).not.toHaveProperty('extra');
    expect(meta?.changes.map(({ field, change }) => [field, change])).toEqual([['full_name', 'NULLED']]);
  });
});

describe('a page', () => {
  const served = [
    user({ id: 'user_1', full_name: 'Ada', created_at: '2024-05-06T07:08:09Z' }),
    user({ id: 'user_2', full_name: 'Zoë 語 \u2028', created_at: '2024-01-01T00:30:00+02:00' }),
    user({ id: 'user_3', email: null, created_at: null, extra: { naïve: ['é', -0, true], full_name: 4 } }),
    user({ id: 'user_4', full_name: '😀', created_at: 'soon' }),
  ];
  /** As a parser gives them that takes each byte of UTF-8 for a character. */
  const raw = (json: Json): Extra[] => JSON.parse(Buffer.from(jsonText(json)).toString('latin1'));

  it('is sent in its order, records as served and changed ones mixed', () => {
    expect(messages({ records: structuredClone(served), isPlain: false, isRaw: false })).toEqual(
      [
        { full_name: 'Ada', created_at: '2024-05-06T07:08:09Z' },
        {
          full_name: 'Zoë 語 \u2028',
          created_at: '2023-12-31T22:30:00Z',
        },
        { email: null, created_at: null, extra: { naïve: ['é', -0, true], full_name: 4 } },
        { full_name: '😀', created_at: null, extra: { created_at: 'soon' } },
      ].map((data, i) => ({
        stream: 'users',
        data: { ...added, extra: null, ...user({ id: `user_${i + 1}` }), ...data },
        emitted_at: EMITTED_AT,
        ...(i > 1 && { meta: expect.anything() }),
      })),
    );
  });

  it('is the same whether its texts are raw or not', () => {
    const plain = messages({ records: structuredClone(served), isPlain: true, isRaw: false });
    expect(messages({ records: raw(served), isPlain: true, isRaw: true })).toEqual(plain);
    expect(messages({ records: structuredClone(served), isPlain: false, isRaw: false })).toEqual(plain);
  });
});
