/** The different texts of a column chunk, each with the number by which pages refer to it. */
export interface TextDictionary {
  readonly size: number;
  /** The number of a text, or -1 when there is no room for another. */
  indexOf(bytes: Uint8Array, from: number, to: number): number;
  /** All of them, as a page of plain values. */
  page(): Uint8Array;
}

/** Of the page. What repeats (roles, organisations) fits into it; ids and addresses would only fill it. */
const MOST_BYTES = 128 * 1024;
const MOST_TEXTS = 16 * 1024;

export function textDictionary(): TextDictionary {
  let slots = new Uint16Array(2048); // the number of a text and one more; 0 is free
  let page = Buffer.allocUnsafe(16 * 1024);
  const starts: number[] = [];
  let used = 0;
  let last = -1;

  const holds = (index: number, bytes: Uint8Array, from: number, to: number): boolean => {
    const start = starts[index] as number;
    if (page.readUInt32LE(start - 4) !== to - from) return false;
    for (let i = 0; i < to - from; i += 1) if (page[start + i] !== bytes[from + i]) return false;
    return true;
  };
  /** The slot of a text, or the free one where it would be. */
  const slotOf = (bytes: Uint8Array, from: number, to: number): number => {
    let slot = hashOf(bytes, from, to) % slots.length;
    while (slots[slot] !== 0 && !holds((slots[slot] as number) - 1, bytes, from, to))
      slot = (slot + 1) % slots.length;
    return slot;
  };
  const grow = (bytes: number): void => {
    if (used + bytes > page.length) {
      const larger = Buffer.allocUnsafe(Math.min(MOST_BYTES, Math.max(page.length * 2, used + bytes)));
      page.copy(larger);
      page = larger;
    }
    if (starts.length < slots.length / 2) return;
    slots = new Uint16Array(slots.length * 2);
    for (const [index, start] of starts.entries())
      slots[slotOf(page, start, start + page.readUInt32LE(start - 4))] = index + 1;
  };
  const insert = (bytes: Uint8Array, from: number, to: number): number => {
    const size = to - from;
    if (starts.length === MOST_TEXTS || used + 4 + size > MOST_BYTES) return -1;
    grow(4 + size);
    slots[slotOf(bytes, from, to)] = starts.length + 1;
    used = page.writeUInt32LE(size, used);
    starts.push(used);
    page.set(bytes.subarray(from, to), used);
    used += size;
    return starts.length - 1;
  };
  return {
    get size() {
      return starts.length;
    },
    indexOf(bytes, from, to) {
      if (last >= 0 && holds(last, bytes, from, to)) return last; // the same as in the row before
      last = (slots[slotOf(bytes, from, to)] as number) - 1;
      if (last < 0) last = insert(bytes, from, to);
      return last;
    },
    page: () => page.subarray(0, used),
  };
}

/** FNV-1a. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i += 1) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
