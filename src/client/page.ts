import { isAscii, isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { textOf } from '../raw-text.js';
import { bodyEmpty, notJson, notUtf8 } from './body-fault.js';
import { type Envelope, fault, parseEnvelope } from './envelope.js';
import { PAGE_LIMITS, type PageLimits } from './page-limits.js';
import type { Parser } from './streaming-parser.js';

/** Up to here even a body of nothing but brackets costs JSON.parse less than 50 MB. */
const HARMLESS_BYTES = 1024 * 1024;
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
      parser = await openParser(limits);
      for (const first of held.splice(0)) parser.write(first);
    }
  }
  if (!parser && bytes > HARMLESS_BYTES && marks(held) > HARMLESS_MARKS) {
    parser = await openParser(limits);
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
const ORDINARY = Buffer.allocUnsafeSlow(HARMLESS_BYTES);

function together(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  if (bytes > ORDINARY.length) return Buffer.concat(chunks, bytes);
  let at = 0;
  for (const chunk of chunks) {
    ORDINARY.set(chunk, at);
    at += chunk.byteLength;
  }
  return ORDINARY.subarray(0, at);
}

/** Loaded when a page needs it, which an ordinary one never does. */
async function openParser(limits: PageLimits): Promise<Parser> {
  const { streamingParser } = await import('./streaming-parser.js');
  return streamingParser(limits);
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
    throw notJson();
  }
}
