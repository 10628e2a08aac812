import { describe, expect, it } from 'vitest';
import { type AccessRow, effectiveAccessSchema } from '../../src/access/schema.js';
import type { Row } from '../../src/model/rows.js';
import { decodeFile, sinkFormats } from '../../src/sinks/index.js';
import { encoded, inBatches } from '../sinks/encoded.js';
import { expectedOf } from '../sinks/expected.js';
import { type ReadRow, readersOf } from '../sinks/readers.js';

const row = (about: Partial<AccessRow>): AccessRow => ({
  snapshot_date: '2026-11-23',
  organization_uuid: null,
  user_id: null,
  email: null,
  membership: 'unknown',
  source: 'group',
  group_id: null,
  group_name: null,
  role_id: null,
  role_name: null,
  action: null,
  resource_type: null,
  resource_id: null,
  is_blanket: false,
  status: 'unknown',
  reason: 'groups_not_read',
  ...about,
});

const rows: readonly AccessRow[] = [
  row({}),
  row({
    email: '',
    group_name: 'null',
    role_name: ' "quoted", ',
    action: '=1+1',
    resource_id: 'a\r\nb\u2028',
  }),
  row({
    is_blanket: true,
    status: 'known',
    reason: null,
    group_name: '研究開発 \u{1F600}',
    role_id: '{"a":1}',
  }),
];

const sinks = sinkFormats.flatMap((format) =>
  format.compressions.map((compression) => ({
    title: `${format.name}, ${compression}`,
    sink: format.create({ compression }),
  })),
);

describe.each(sinks)('effective_access as $title', ({ sink }) => {
  it('needs no column `extra`: nothing in it is as the API served it', async () => {
    const names = effectiveAccessSchema.fields.map(({ name }) => name);
    expect(names).not.toContain('extra');
    const file = await encoded(sink, effectiveAccessSchema, inBatches([rows]));
    for (const { name, read } of readersOf[sink.format] ?? []) {
      const found = await read(file, sink.extension, effectiveAccessSchema);
      const expected = rows.map((each) => expectedOf(each, effectiveAccessSchema, sink.format) as ReadRow);
      expect(found, name).toEqual(expected);
    }
    const decoded: Row[] = [];
    const path = `part-00000.${sink.extension}`;
    const bytes = (async function* () {
      yield file;
    })();
    for await (const batch of decodeFile({ format: sink.format, path, schema: effectiveAccessSchema, bytes }))
      decoded.push(...batch);
    expect(decoded).toEqual(rows);
  });

  it('may be empty', async () => {
    const file = await encoded(sink, effectiveAccessSchema, inBatches([]));
    for (const { read } of readersOf[sink.format] ?? [])
      expect(await read(file, sink.extension, effectiveAccessSchema)).toEqual([]);
  });
});
