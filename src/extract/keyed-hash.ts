/** Writes the keyed hash of a text into three words. */
export type KeyedHash = (text: string, words: Uint32Array) => void;

/** Bytes of a key. */
export const KEY_BYTES = 8;

/**
 * HalfSipHash-2-4 (Aumasson and Bernstein, the 32-bit sibling of SipHash) with a third word: as SipHash makes its second half, the
 * state is mixed once more. It reads two or four characters at a time from the text itself, so nothing is encoded or allocated.
 *
 * A text of Latin-1 characters is hashed as its bytes, any other as its UTF-16 units, from another initial state.
 * @param key `KEY_BYTES` of them
 */
export function keyedHash(key: Uint8Array): KeyedHash {
  const view = new DataView(key.buffer, key.byteOffset, KEY_BYTES);
  const [k0, k1] = [view.getUint32(0, true), view.getUint32(4, true)];
  let message = new Int32Array(64);

  return (text, words) => {
    if (text.length / 2 + 2 > message.length) message = new Int32Array(text.length);
    const latin = packLatin(text, message);
    if (latin > 0) halfSipHash(message, latin, k0, k1, words);
    else halfSipHash(message, packUnits(text, message), k0 ^ WIDE, k1, words);
  };
}

/** What distinguishes the state for UTF-16 units from the one for bytes. */
const WIDE = 0x5a5a5a5a;

/** Four characters a word, the last with the length; 0 when a character has more than 8 bits. */
function packLatin(text: string, message: Int32Array): number {
  const { length } = text;
  let seen = 0;
  let count = 0;
  let at = 0;
  for (; at + 4 <= length; at += 4, count += 1) {
    const low = text.charCodeAt(at) | (text.charCodeAt(at + 1) << 8);
    const third = text.charCodeAt(at + 2);
    const fourth = text.charCodeAt(at + 3);
    seen |= text.charCodeAt(at) | text.charCodeAt(at + 1) | third | fourth;
    message[count] = low | (third << 16) | (fourth << 24);
  }
  let last = length << 24;
  for (let shift = 0; at < length; at += 1, shift += 8) {
    const unit = text.charCodeAt(at);
    seen |= unit;
    last |= unit << shift;
  }
  message[count] = last;
  return seen < 256 ? count + 1 : 0;
}

/** Two UTF-16 units a word, the last word with the length. */
function packUnits(text: string, message: Int32Array): number {
  const { length } = text;
  let count = 0;
  for (let at = 0; at + 2 <= length; at += 2, count += 1) {
    message[count] = text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16);
  }
  if (length % 2 === 1) {
    message[count] = text.charCodeAt(length - 1);
    count += 1;
  }
  message[count] = length;
  return count + 1;
}

function halfSipHash(message: Int32Array, count: number, k0: number, k1: number, out: Uint32Array): void {
  let v0 = k0;
  let v1 = k1 ^ 0xee;
  let v2 = k0 ^ 0x6c796765;
  let v3 = k1 ^ 0x74656462;
  // A step for each word of the message, and one for each of the hash.
  for (let step = 0; step < count + 3; step += 1) {
    const word = step < count ? (message[step] as number) : 0;
    if (step === count) v2 ^= 0xee;
    if (step > count) {
      out[step - count - 1] = v1 ^ v3;
      v1 ^= 0xdd;
    }
    v3 ^= word;
    for (let round = step < count ? 2 : 4; round > 0; round -= 1) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    v0 ^= word;
  }
  out[2] = v1 ^ v3;
}
