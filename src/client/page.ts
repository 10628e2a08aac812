import { isAscii, isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { JSONParser, type ParsedTokenInfo, TokenType } from '@streamparser/json';
import { ProtocolError } from '../errors.js';
import { textOf } from '../raw-text.js';
import {
  type Envelope,
  type EnvelopeLimits,
  fault,
  parseEnvelope,
  tooDeep,
  tooManyRecords,
} from './envelope.js';

/** Caps on the body of one page. */
export interface PageLimits extends EnvelopeLimits {
  /** Up to here the text is held in one piece and goes through JSON.parse. */
  readonly softBytes: number;
  /** Not a byte more is read. */
  readonly bytes: number;
  /** Tokens of JSON beyond the soft cap: half a million take about 50 MB with their values. */
  readonly tokens: number;
  /** Bytes of one text or number beyond the soft cap. */
  readonly tokenBytes: number;
}

const MIB = 1024 * 1024;

/** A page of 1,000 users is about 0.3 MB; a page that passes one of these is hostile or broken. */
export const PAGE_LIMITS: PageLimits = {
  softBytes: 8 * MIB,
  bytes: 64 * MIB,
  tokens: 500_000,
  tokenBytes: 4 * MIB,
  records: 10_000,
  depth: 64,
};

/** Up to here even a body of nothing but brackets costs JSON.parse less than 50 MB. */
const HARMLESS_BYTES = MIB;
/** Commas and brackets in a body above that which JSON.parse may be given. */
const HARMLESS_MARKS = 500_000;

/** A page as it was read. */
export interface ReadPage extends Envelope {
  /** Of the body, decompressed. */
  readonly bytes: number;
  /** Whether the body held no escape: then no text in it needs one in JSON, and none has a lone surrogate. */
  readonly isPlain: boolean;
  /** Whether the texts of its records are raw, see `raw-text`. */
  readonly isRaw: boolean;
  /** SHA-256 of the body, without the token of the next page; null beyond the soft cap. */
  readonly sha256: string | null;
}

/**
 * Reads the body of a page, completely or not at all: JSON.parse up to the soft cap, and beyond it the streaming
 * parser, which is slower but need not hold the text.
 * @throws ProtocolError `body_empty`, `body_not_json`, `body_not_utf8`, `body_too_large`, `body_too_dense`,
 * and those of `parseEnvelope`
 */
export async function readPage(
  body: AsyncIterable<Uint8Array>,
  { list, limits = PAGE_LIMITS }: { list?: string | undefined; limits?: PageLimits | undefined } = {},
): Promise<ReadPage> {
  const held: Uint8Array[] = [];
  let bytes = 0;
  let parser: Parser | undefined;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > limits.bytes) throw fault('body_too_large', `is longer than ${limits.bytes} bytes`);
    if (parser) parser.write(chunk);
    else held.push(chunk);
    if (!parser && bytes > limits.softBytes) {
      parser = streamingParser(limits);
      for (const first of held.splice(0)) parser.write(first);
    }
  }
  if (!parser && bytes > HARMLESS_BYTES && marks(held) > HARMLESS_MARKS) {
    parser = streamingParser(limits);
    for (const chunk of held) parser.write(chunk);
  }
  if (parser) {
    const envelope = parseEnvelope(parser.end(), limits, list);
    return { ...envelope, bytes, isPlain: false, isRaw: false, sha256: null };
  }
  const whole = together(held, bytes);
  if (!isUtf8(whole)) throw notUtf8();
  const isPlain = !whole.includes(BACKSLASH);
  const isRaw = isPlain && !isAscii(whole);
  const envelope = parseEnvelope(parseWhole(whole, isPlain), limits, list);
  const next = isRaw && envelope.next !== null ? textOf(envelope.next) : envelope.next;
  return { ...envelope, next, bytes, isPlain, isRaw, sha256: sha256Without(next, whole) };
}

/** Tokens differ from walk to walk, also where the records do not. One that is written with escapes is left in: then nothing looks equal. */
function sha256Without(token: string | null, body: Uint8Array): string {
  const quoted = `"${token}"`;
  const at =
    token === null ? -1 : Buffer.from(body.buffer, body.byteOffset, body.byteLength).lastIndexOf(quoted);
  const end = at < 0 ? 0 : at + Buffer.byteLength(quoted);
  return createHash('sha256')
    .update(body.subarray(0, Math.max(at, 0)))
    .update(body.subarray(end))
    .digest('hex');
}

const BACKSLASH = 0x5c;

/** Where ordinary bodies are put together: they are parsed before another is. A new array for each would wait for a garbage collection. */
const ORDINARY = Buffer.allocUnsafeSlow(MIB);

function together(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  if (bytes > ORDINARY.length) return Buffer.concat(chunks, bytes);
  let at = 0;
  for (const chunk of chunks) {
    ORDINARY.set(chunk, at);
    at += chunk.byteLength;
  }
  return ORDINARY.subarray(0, at);
}

/** Commas and opening brackets: how many values the body may hold, at most. */
function marks(chunks: readonly Uint8Array[]): number {
  let count = 0;
  for (const chunk of chunks) {
    for (const byte of chunk) if (byte === 0x2c || byte === 0x5b || byte === 0x7b) count += 1;
  }
  return count;
}

/** @param isPlain whether it may be read as raw text */
function parseWhole(body: Uint8Array, isPlain: boolean): unknown {
  const isMarked = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;
  const { buffer, byteOffset, byteLength } = isMarked ? body.subarray(3) : body;
  const text = Buffer.from(buffer, byteOffset, byteLength).toString(isPlain ? 'latin1' : 'utf8');
  if (text.trim() === '') throw bodyEmpty();
  try {
    return JSON.parse(text);
  } catch {
    throw notJson(); // V8's message quotes the body, which may name people
  }
}

const bodyEmpty = (): ProtocolError => fault('body_empty', 'is empty');

const notJson = (): ProtocolError => fault('body_not_json', 'is not JSON');

function utf8<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw notUtf8(error);
  }
}

const notUtf8 = (cause?: unknown): ProtocolError => fault('body_not_utf8', 'is not valid UTF-8', cause);

interface Parser {
  write(chunk: Uint8Array): void;
  /** The complete value, once the document is closed. */
  end(): unknown;
}

/** Builds what JSON.parse would build, from chunks, and stops at the caps. */
function streamingParser(limits: PageLimits): Parser {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const parser = new JSONParser({ paths: ['$'], stringBufferSize: 4096, numberBufferSize: 4096 });
  let root: unknown;
  let depth = 0;
  let records = 0;
  let tokens = 0;
  let written = 0;
  let lastToken = 0;

  parser.onValue = ({ value }) => {
    root = value;
  };
  parser.onToken = ({ token, offset }: ParsedTokenInfo) => {
    lastToken = offset;
    tokens += 1;
    if (tokens > limits.tokens)
      throw fault('body_too_dense', `holds more than ${limits.tokens} tokens of JSON`);
    if (token === TokenType.LEFT_BRACE || token === TokenType.LEFT_BRACKET) {
      depth += 1;
      if (depth > limits.depth) throw tooDeep(limits);
      if (depth === 3 && token === TokenType.LEFT_BRACE) records += 1; // an object in a list of the envelope
      if (records > limits.records) throw tooManyRecords(limits);
    } else if (token === TokenType.RIGHT_BRACE || token === TokenType.RIGHT_BRACKET) {
      depth -= 1;
    }
  };
  const guarded = (work: () => void) => {
    try {
      work();
    } catch (error) {
      throw error instanceof ProtocolError ? error : notJson();
    }
  };
  return {
    write(chunk) {
      utf8(() => decoder.decode(chunk, { stream: true })); // the parser does not look at every byte
      guarded(() => parser.write(chunk));
      written += chunk.byteLength;
      if (written - lastToken > limits.tokenBytes) {
        throw fault('body_too_large', `holds a value longer than ${limits.tokenBytes} bytes`);
      }
    },
    end() {
      utf8(() => decoder.decode());
      guarded(() => {
        if (!parser.isEnded) parser.end();
      });
      if (tokens === 0) throw bodyEmpty();
      return root;
    },
  };
}
