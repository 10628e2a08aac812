import { hash, randomBytes } from 'node:crypto';
import { ConfigError } from '../errors.js';

/** A set of texts that were seen, at 16 to 24 bytes each; nothing can be taken out or listed. */
export interface Fingerprints {
  readonly size: number;
  /** What the tables take in memory. */
  readonly bytes: number;
  /** Whether the text is new; from now on it is not. */
  add(text: string): boolean;
  has(text: string): boolean;
  /** All of it, for a checkpoint: 12 bytes a text and 16 more. */
  toBytes(): Uint8Array;
}

/** A fingerprint is 96 bits of a keyed SHA-256: among 10 million texts two meet with a chance of 10⁻¹⁵. */
const WORDS = 3;
const BYTES = WORDS * 4;
const KEY_BYTES = 16;

/** The table is cut into parts that grow one at a time, so that growing costs no second table. */
const PARTS = 64;
const FULLEST = 0.75;
const GROWTH = 1.5;
const SMALLEST = 4;

/** One part: open addressing, an entry of zeros is free. */
interface Part {
  words: Uint32Array;
  used: number;
}

/** An empty set, or the one that `toBytes` gave. */
export function createFingerprints(bytes?: Uint8Array): Fingerprints {
  if (bytes && (bytes.length < KEY_BYTES || (bytes.length - KEY_BYTES) % BYTES !== 0)) {
    throw new ConfigError('These bytes are no set of fingerprints: they were cut, or are something else.', {
      code: 'invalid_fingerprints',
    });
  }
  const key = bytes ? Buffer.from(bytes.subarray(0, KEY_BYTES)) : randomBytes(KEY_BYTES);
  const prefix = key.toString('latin1');
  const parts: (Part | undefined)[] = new Array(PARTS).fill(undefined);
  const print = new Uint32Array(WORDS); // the fingerprint being looked at
  let size = 0;

  function fingerprint(text: string): void {
    const digest = hash('sha256', prefix + text, 'binary');
    for (let word = 0; word < WORDS; word += 1) print[word] = wordAt(digest, word * 4);
    if (print[0] === 0 && print[1] === 0 && print[2] === 0) print[0] = 1;
  }
  /** The part that the fingerprint belongs to, and its place or the free one where it would be. */
  function find() {
    const index = (print[0] as number) % PARTS;
    const part = parts[index] ?? { words: new Uint32Array(SMALLEST * WORDS), used: 0 };
    parts[index] = part;
    return { part, ...placeOf(part.words, print) };
  }
  function insert(): boolean {
    const { part, found } = find();
    if (found) return false;
    if (part.used + 1 > (part.words.length / WORDS) * FULLEST) grow(part);
    part.words.set(print, placeOf(part.words, print).place);
    part.used += 1;
    size += 1;
    return true;
  }

  for (let at = KEY_BYTES; bytes && at < bytes.length; at += BYTES) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, BYTES);
    for (let word = 0; word < WORDS; word += 1) print[word] = view.getUint32(word * 4);
    insert();
  }

  return {
    get size() {
      return size;
    },
    get bytes() {
      return parts.reduce((sum, part) => sum + (part?.words.byteLength ?? 0), 0);
    },
    add(text) {
      fingerprint(text);
      return insert();
    },
    has(text) {
      fingerprint(text);
      return find().found;
    },
    toBytes() {
      const out = new DataView(new ArrayBuffer(KEY_BYTES + size * BYTES));
      new Uint8Array(out.buffer).set(key);
      let at = KEY_BYTES;
      for (const { words } of parts.filter((part) => part !== undefined)) {
        for (let place = 0; place < words.length; place += WORDS) {
          if (isFree(words, place)) continue;
          for (let word = 0; word < WORDS; word += 1, at += 4)
            out.setUint32(at, words[place + word] as number);
        }
      }
      return new Uint8Array(out.buffer);
    },
  };
}

const wordAt = (digest: string, at: number): number =>
  ((digest.charCodeAt(at) << 24) |
    (digest.charCodeAt(at + 1) << 16) |
    (digest.charCodeAt(at + 2) << 8) |
    digest.charCodeAt(at + 3)) >>>
  0;

const isFree = (words: Uint32Array, place: number): boolean =>
  words[place] === 0 && words[place + 1] === 0 && words[place + 2] === 0;

function placeOf(words: Uint32Array, print: Uint32Array): { place: number; found: boolean } {
  const places = words.length / WORDS;
  for (let at = (print[1] as number) % places; ; at = (at + 1) % places) {
    const place = at * WORDS;
    if (words[place] === print[0] && words[place + 1] === print[1] && words[place + 2] === print[2]) {
      return { place, found: true };
    }
    if (isFree(words, place)) return { place, found: false };
  }
}

function grow(part: Part): void {
  const { words } = part;
  part.words = new Uint32Array(Math.ceil((words.length / WORDS) * GROWTH) * WORDS);
  for (let at = 0; at < words.length; at += WORDS) {
    if (isFree(words, at)) continue;
    const print = words.subarray(at, at + WORDS);
    part.words.set(print, placeOf(part.words, print).place);
  }
}
