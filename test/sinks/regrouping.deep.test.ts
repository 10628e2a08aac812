import { describe, expect, it } from 'vitest';
import type { Row } from '../../src/model/rows.js';
import type { StreamSchema } from '../../src/model/schema.js';
import { sinkFormats } from '../../src/sinks/index.js';
import type { Block, Regrouping } from '../../src/sinks/regrouping.js';
import type { Sink } from '../../src/sinks/sink.js';
import { apiKeys } from '../../src/streams/api-keys.js';
import { organizations } from '../../src/streams/organizations.js';
import { users } from '../../src/streams/users.js';
import { awkwardOrganizations, awkwardUsers, ordinaryUsers, rowsOf } from './awkward-rows.js';
import { collected, encoded, inBatches } from './encoded.js';

const sinks = sinkFormats.flatMap((format) =>
  format.compressions.map((compression) => ({
    title: `${format.name}, ${compression}`,
    sink: format.create({ compression }),
  })),
);

const bytesOf = (sink: Sink, schema: StreamSchema, rows: readonly Row[]): Promise<Buffer> =>
  encoded(sink, schema, inBatches([rows]));

/** A file's bytes as a storage gives them: in pieces that end anywhere. */
async function* inPieces(file: Buffer, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.length; at += size) yield file.subarray(at, at + size);
}

/** The rows of several files, one after the other; each block is cut in three. */
async function* blocksOf(
  { split }: Regrouping,
  schema: StreamSchema,
  files: readonly Buffer[],
): AsyncGenerator<Block> {
  for (const file of files) {
    for await (const block of split(schema, inPieces(file))) {
      const [first, second] = [Math.floor(block.rows / 3), Math.floor(block.rows / 2)];
      yield block.slice(0, first);
      yield block.slice(first, second);
      yield block.slice(second, block.rows);
    }
  }
}

describe.each(sinks)('the rows of $title files', ({ sink }) => {
  const regroup = sink.regroup as Regrouping;

  it('make the very file that they would have made at first, wherever they were cut', async () => {
    const many = Array.from({ length: 20 }, () => ordinaryUsers).flat();
    const heavy = ordinaryUsers.map((row, i) => ({ ...row, full_name: 'n'.repeat(i * 7) }));
    const parts = [
      many.slice(0, 1),
      many.slice(1, 3),
      many.slice(3, 3),
      awkwardUsers,
      heavy,
      many.slice(3),
      awkwardUsers.slice(0, 20),
    ];
    const files = await Promise.all(parts.map((rows) => bytesOf(sink, users.schema, rows)));
    const joined = await collected(regroup.join(users.schema, blocksOf(regroup, users.schema, files)));
    const expected = await bytesOf(sink, users.schema, parts.flat());
    expect(joined.length).toBe(expected.length);
    expect(joined.equals(expected)).toBe(true);
  });

  it('keep their booleans and their JSON, wherever the bits are cut', async () => {
    const { schema } = apiKeys;
    const rows = rowsOf(
      apiKeys,
      Array.from({ length: 300 }, (_, i) => ({
        id: `${i}`,
        is_active: [true, false, null, true, true][i % 5],
        scopes: [null, [], ['a', { b: i }]][i % 3],
      })),
    );
    const parts = [
      rows.slice(0, 1),
      rows.slice(1, 14),
      rows.slice(14, 15),
      rows.slice(15, 90),
      rows.slice(90),
    ];
    const files = await Promise.all(parts.map((part) => bytesOf(sink, schema, part)));
    const joined = await collected(regroup.join(schema, blocksOf(regroup, schema, files)));
    expect(joined.equals(await bytesOf(sink, schema, rows))).toBe(true);
  });

  it('are counted', async () => {
    const file = await bytesOf(sink, organizations.schema, awkwardOrganizations);
    let rows = 0;
    for await (const block of regroup.split(organizations.schema, inPieces(file, 7))) rows += block.rows;
    expect(rows).toBe(awkwardOrganizations.length);
  });

  it('may be none', async () => {
    const none = await bytesOf(sink, users.schema, []);
    const joined = await collected(regroup.join(users.schema, blocksOf(regroup, users.schema, [none, none])));
    expect(joined.equals(none)).toBe(true);
  });

  it('are not taken from a file that is cut', async () => {
    const file = await bytesOf(sink, users.schema, ordinaryUsers);
    const cut = blocksOf(regroup, users.schema, [file.subarray(0, file.length - 30)]);
    await expect(collected(regroup.join(users.schema, cut))).rejects.toThrow();
  });

  if (!sink.format.startsWith('ndjson')) {
    it('are not taken from a file of another table', async () => {
      const file = await bytesOf(sink, organizations.schema, awkwardOrganizations);
      const foreign = blocksOf(regroup, users.schema, [file]);
      await expect(collected(regroup.join(users.schema, foreign))).rejects.toMatchObject({
        code: 'file_of_another_schema',
      });
    });
  }
});
