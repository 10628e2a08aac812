import * as zlib from 'node:zlib';

/** Compresses a page. The result has bytes of its own: those that it is given are used again. */
export type Compress = (bytes: Uint8Array) => Uint8Array;

/** A codec by its name in `compressions`. */
export interface Codec {
  /** Its number in the metadata of Parquet. */
  readonly id: number;
  open(): Promise<Compress>;
}

/** Higher levels of zstd cost twice as much and save nothing measurable on ids, addresses and names. */
const ZSTD_LEVEL = 1;

export const PARQUET_CODECS = {
  zstd: { id: 6, open: openZstd },
  snappy: {
    id: 1,
    async open() {
      const { compress } = await import('snappyjs');
      return (bytes) => compress(Buffer.from(bytes));
    },
  },
  gzip: { id: 2, open: async () => (bytes) => zlib.gzipSync(bytes) },
  none: { id: 0, open: async () => (bytes) => Buffer.from(bytes) },
} as const satisfies Record<string, Codec>;

let zstdInWasm: Promise<Compress> | undefined;

/** Node's own zstd, where it has one (22.15 and later), and otherwise the same C library in WebAssembly. */
function openZstd(): Promise<Compress> {
  const { zstdCompressSync, constants } = zlib as typeof zlib & Partial<ZstdInNode>;
  if (!zstdCompressSync) {
    zstdInWasm ??= openZstdInWasm();
    return zstdInWasm;
  }
  const options = { params: { [Number(constants?.ZSTD_c_compressionLevel)]: ZSTD_LEVEL } };
  return Promise.resolve((bytes) => zstdCompressSync(bytes, options));
}

async function openZstdInWasm(): Promise<Compress> {
  const { init, createCCtx, compressUsingDict } = await import('@bokuweb/zstd-wasm');
  await init();
  const context = createCCtx(); // one for all pages: making one takes longer than a small page does
  const noDictionary = new Uint8Array(0);
  return (bytes) => compressUsingDict(context, bytes, noDictionary, ZSTD_LEVEL);
}

/** The types that are installed are those of Node 20. */
interface ZstdInNode {
  zstdCompressSync(bytes: Uint8Array, options: { params: Record<number, number> }): Buffer;
  constants: { ZSTD_c_compressionLevel: number };
}
