import type { Field } from '../model/schema.js';
import type { ColumnData } from './column-data.js';
import { numberBounds, textBounds } from './parquet-bounds.js';
import type { Compress } from './parquet-codec.js';
import { textDictionary } from './parquet-dictionary.js';
import { PARQUET_TYPES } from './parquet-schema.js';
import {
  begin,
  indexBytes,
  indexesOf,
  levelBytes,
  type PageBytes,
  writeFixed,
  writeIndexes,
  writeLevels,
  writeTexts,
} from './parquet-values.js';
import { binary, i32, i64, list, struct, type Thrift } from './thrift.js';

/** One column of a row group that is being written. */
export interface ColumnChunk {
  /** Adds a page: a column of a record batch. */
  append(data: ColumnData): void;
  /** Compressed, so far. */
  bytes(): number;
  /** Its pages, and what the footer says of them; `offset` is where the first of them will be in the file. */
  finish(offset: number): {
    pages: readonly Uint8Array[];
    bytes: number;
    plainBytes: number;
    metadata: Thrift;
  };
}

/** What the chunks of a file share. */
export interface ChunkContext {
  codec: number;
  compress: Compress;
  /** The page that is being written. */
  page: PageBytes;
}

/** Encodings and kinds of pages, by their numbers in Parquet. */
const [PLAIN, RLE, RLE_DICTIONARY] = [0, 3, 8];
const [DATA_PAGE, DICTIONARY_PAGE] = [0, 2];

export function columnChunk(field: Field, context: ChunkContext): ColumnChunk {
  const { compress, page } = context;
  const { name, type, nullable } = field;
  const isText = type === 'string' || type === 'json';
  const texts = textBounds();
  const numbers = numberBounds();
  const pages: Uint8Array[] = [];
  const encodings = new Set([RLE]);
  let dictionary = isText ? textDictionary() : undefined;
  let [rows, nulls, bytes, plainBytes] = [0, 0, 0, 0];

  const addPage = (body: Uint8Array, kind: number, header: Record<number, Thrift>): Uint8Array[] => {
    const compressed = compress(body);
    const sizes = { 1: i32(kind), 2: i32(body.length), 3: i32(compressed.length) };
    const head = Uint8Array.from(struct({ ...sizes, ...header }).bytes);
    bytes += head.length + compressed.length;
    plainBytes += head.length + body.length;
    return [head, compressed];
  };
  /** Writes the values of a page. @returns their encoding */
  const writeValues = (data: ColumnData): number => {
    if (!isText) {
      if (type !== 'boolean') numbers.add(data);
      writeFixed(page, data, type);
      return PLAIN;
    }
    const indexes = dictionary && indexesOf(data, dictionary, texts);
    if (dictionary && indexes && indexes.length > 0) {
      writeIndexes(page, indexes, dictionary.size);
      return RLE_DICTIONARY;
    }
    // The dictionary is full, or of no use: what refers to it stays, and nothing more is added.
    if (!indexes) givenUp = true;
    writeTexts(page, data, texts);
    return PLAIN;
  };
  let givenUp = false;

  return {
    bytes: () => bytes,
    append(data) {
      const { length, nullCount, values } = data;
      begin(page, levelBytes(length) + indexBytes(length) + length * 4 + values.byteLength);
      if (nullable) writeLevels(page, data);
      const encoding = writeValues(data);
      encodings.add(encoding);
      const levels = { 3: i32(RLE), 4: i32(RLE) };
      const header = struct({ 1: i32(length), 2: i32(encoding), ...levels });
      pages.push(...addPage(page.bytes.subarray(0, page.used), DATA_PAGE, { 5: header }));
      rows += length;
      nulls += nullCount;
      if (givenUp && !encodings.has(RLE_DICTIONARY)) dictionary = undefined;
    },
    finish(offset) {
      const first: Uint8Array[] = [];
      if (dictionary && encodings.has(RLE_DICTIONARY)) {
        encodings.add(PLAIN);
        const header = struct({ 1: i32(dictionary.size), 2: i32(PLAIN) });
        first.push(...addPage(dictionary.page(), DICTIONARY_PAGE, { 7: header }));
      }
      const dictionaryBytes = first.reduce((sum, { length }) => sum + length, 0);
      const bounds = isText ? texts.finish() : numbers.finish();
      const statistics = struct({
        3: i64(nulls),
        5: bounds && binary(bounds.greatest),
        6: bounds && binary(bounds.least),
      });
      const metadata = struct({
        1: i32(PARQUET_TYPES[type].physical),
        2: list([...encodings].map(i32)),
        3: list([binary(name)]),
        4: i32(context.codec),
        5: i64(rows),
        6: i64(plainBytes),
        7: i64(bytes),
        9: i64(offset + dictionaryBytes),
        11: dictionaryBytes > 0 ? i64(offset) : undefined,
        12: statistics,
      });
      return {
        pages: [...first, ...pages],
        bytes,
        plainBytes,
        metadata: struct({ 2: i64(offset), 3: metadata }),
      };
    },
  };
}
