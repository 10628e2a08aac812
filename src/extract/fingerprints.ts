import { randomBytes } from 'node:crypto';
import { ConfigError } from '../errors.js';
import { KEY_BYTES, keyedHash } from './keyed-hash.js';

/** A set of texts that were seen, each with the content that it had first, at 21 to 32 bytes each; nothing can be taken out or listed. */
export interface Fingerprints {
  readonly size: number;
  /** What the tables take in memory. */
  readonly bytes: number;
  /** Whether the text is new; from now on it is not. The content of a new one, a whole number of 32 bits, is remembered. */
  add(text: string, content?: number): boolean;
  has(text: string): boolean;
  /** Whether the text was added with another content. */
  differs(text: string, content: number): boolean;
  /** All of it, for a checkpoint: 16 bytes a text and 8 more. */
  toBytes(): Uint8Array;
}

/** A fingerprint is 96 bits of a keyed hash: among 10 million texts two meet with a chance of 10⁻¹⁵. */
const KEY_WORDS = 3;
/** And the hash of its content: one difference in 4 billion is not noticed. */
const WORDS = KEY_WORDS + 1;
const BYTES = WORDS * 4;

/** The table is cut into parts that grow one at a time, so that growing costs no second table. */
const PARTS = 64;
const FULLEST = 0.75;
const GROWTH = 1.5;
const SMALLEST = 32;

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
  const fingerprint = keyedHash(key);
  const parts: (Part | undefined)[] = new Array(PARTS).fill(undefined);
  const print = new Uint32Array(WORDS); // the fingerprint being looked at
  let size = 0;

  /** The part that the fingerprint belongs to. */
  function partOfPrint(): Part {
    const index = (print[0] as number) % PARTS;
    const part = parts[index] ?? { words: new Uint32Array(SMALLEST * WORDS), used: 0 };
    parts[index] = part;
    return part;
  }
  function insert(): boolean {
    const part = partOfPrint();
    let place = placeOf(part.words, print, 0);
    if (!isFree(part.words, place)) return false;
    if (part.used + 1 > (part.words.length / WORDS) * FULLEST) {
      grow(part);
      place = placeOf(part.words, print, 0);
    }
    copyPrint(print, 0, part.words, place);
    part.used += 1;
    size += 1;
    return true;
  }
  function look(text: string): void {
    fingerprint(text, print);
    if (isFree(print, 0)) print[0] = 1; // zeros mark a free place
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
    add(text, content = 0) {
      look(text);
      print[KEY_WORDS] = content;
      return insert();
    },
    has(text) {
      look(text);
      const { words } = partOfPrint();
      return !isFree(words, placeOf(words, print, 0));
    },
    differs(text, content) {
      look(text);
      const { words } = partOfPrint();
      const place = placeOf(words, print, 0);
      return !isFree(words, place) && words[place + KEY_WORDS] !== content;
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

const isFree = (words: Uint32Array, place: number): boolean =>
  words[place] === 0 && words[place + 1] === 0 && words[place + 2] === 0;

/** Where the fingerprint at `at` of `prints` is among the words, or the free place where it would be. */
function placeOf(words: Uint32Array, prints: Uint32Array, at: number): number {
  const first = prints[at];
  const second = prints[at + 1] as number;
  const third = prints[at + 2];
  const end = words.length;
  let place = Math.floor((second / 2 ** 32) * (end / WORDS)) * WORDS; // cheaper than a remainder
  while (!isFree(words, place)) {
    if (words[place] === first && words[place + 1] === second && words[place + 2] === third) break;
    place += WORDS;
    if (place === end) place = 0;
  }
  return place;
}

function copyPrint(from: Uint32Array, at: number, to: Uint32Array, place: number): void {
  to[place] = from[at] as number;
  to[place + 1] = from[at + 1] as number;
  to[place + 2] = from[at + 2] as number;
  to[place + 3] = from[at + 3] as number;
}

function grow(part: Part): void {
  const { words } = part;
  const larger = new Uint32Array(Math.ceil((words.length / WORDS) * GROWTH) * WORDS);
  for (let at = 0; at < words.length; at += WORDS) {
    if (!isFree(words, at)) copyPrint(words, at, larger, placeOf(larger, words, at));
  }
  part.words = larger;
}
