import { SinkError } from '../errors.js';
import type { StreamSchema } from '../model/schema.js';
import { compressText, type TEXT_COMPRESSIONS } from './compression.js';
import { anotherSchema } from './file-columns.js';
import { gunzip } from './gzip.js';
import type { Regrouping } from './regrouping.js';
import { type RowEnds, splitText, type TextBlock } from './text-block.js';

interface TextFormat {
  rowEnds: () => RowEnds;
  compression: (typeof TEXT_COMPRESSIONS)[number];
  /** The first line of every file, if there is one. */
  head?: (schema: StreamSchema) => string;
}

/** How rows of a text format move: as the bytes of their lines. */
export const textRegrouping = ({ rowEnds, compression, head = () => '' }: TextFormat): Regrouping => ({
  async *split(schema, bytes) {
    const plain = compression === 'gzip' ? gunzip(bytes) : bytes;
    let expected = head(schema);
    for await (const block of splitText(plain, rowEnds())) {
      if (expected === '') yield block;
      else {
        checkHead(block.slice(0, 1), expected, schema);
        expected = '';
        if (block.rows > 1) yield block.slice(1, block.rows);
      }
    }
    if (expected !== '') throw new SinkError('A file is cut: it has no header.', { code: 'file_cut' });
  },
  join: (schema, blocks: AsyncIterable<TextBlock>) =>
    compressText(bytesOf(head(schema), blocks), compression),
});

async function* bytesOf(head: string, blocks: AsyncIterable<TextBlock>): AsyncGenerator<Uint8Array> {
  if (head !== '') yield Buffer.from(head);
  for await (const { bytes } of blocks) yield bytes;
}

function checkHead({ bytes }: TextBlock, expected: string, schema: StreamSchema): void {
  if (!Buffer.from(expected).equals(bytes)) throw anotherSchema(schema);
}
