import { chooseCompression } from './compression.js';
import { collect } from './inspect.js';
import { type ColumnBlock, recordBatches, regrouped } from './record-batches.js';
import type { SinkFormat } from './sink.js';

const COMPRESSIONS = ['none'] as const;

/** The Arrow IPC file format (also known as Feather 2), not compressed. A truncated file is invalid; a stream would not be. */
export const arrow: SinkFormat = {
  name: 'arrow',
  summary: 'Arrow IPC file (Feather 2) with true types, not compressed.',
  compressions: COMPRESSIONS,
  isText: false,
  async *decode(schema, bytes) {
    const { decodeColumns } = await import('./decode-columns.js');
    yield* decodeColumns(schema, await collect(bytes));
  },
  async inspect(bytes) {
    const { inspectArrow } = await library();
    return inspectArrow(await collect(bytes));
  },
  create(options = {}) {
    const compression = chooseCompression('arrow', COMPRESSIONS, options.compression);
    return {
      format: 'arrow',
      extension: 'arrow',
      options: { compression },
      async *encode(schema, batches) {
        const { arrowFile } = await library();
        yield* arrowFile(schema, recordBatches(schema, batches));
      },
      regroup: {
        async *split(schema, bytes) {
          const { columnBlocks } = await import('./column-blocks.js');
          yield* columnBlocks(schema, await collect(bytes));
        },
        async *join(schema, blocks: AsyncIterable<ColumnBlock>) {
          const { arrowFile } = await library();
          yield* arrowFile(schema, regrouped(schema, blocks));
        },
      },
    };
  },
};

/** Loaded when a file is written or read: it takes a tenth of a second. */
const library = () => import('./arrow-file.js');
