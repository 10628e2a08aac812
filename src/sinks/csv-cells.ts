import { unreadable } from './decoded-value.js';

const [QUOTE, COMMA, CR, LF] = [0x22, 0x2c, 0x0d, 0x0a];

/**
 * The cells of complete rows, strictly in the form in which CSV is written here; null for a cell that is empty and not quoted.
 * Each text is decoded by itself: a slice of one large text would keep all of that alive.
 * @throws SinkError `file_unreadable`
 */
export function* csvRows(bytes: Uint8Array): Generator<readonly (string | null)[], void, void> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let cells: (string | null)[] = [];
  for (let at = 0; at < buffer.length; ) {
    if (buffer[at] === QUOTE) {
      const { end, hasQuotes } = quotedCell(buffer, at + 1);
      const text = buffer.toString('utf8', at + 1, end);
      cells.push(hasQuotes ? text.replaceAll('""', '"') : text);
      at = end + 1;
    } else {
      const end = bareEnd(buffer, at);
      cells.push(end === at ? null : buffer.toString('utf8', at, end));
      at = end;
    }
    if (buffer[at] === COMMA) at += 1;
    else if (buffer[at] === CR && buffer[at + 1] === LF) {
      yield cells;
      cells = [];
      at += 2;
    } else throw unreadable('a cell that ends neither with a comma nor with its row');
  }
}

/** The first quote that is not doubled. */
function quotedCell(buffer: Buffer, from: number): { end: number; hasQuotes: boolean } {
  let hasQuotes = false;
  for (let at = from; at < buffer.length; at += 1) {
    if (buffer[at] !== QUOTE) continue;
    if (buffer[at + 1] !== QUOTE) return { end: at, hasQuotes };
    hasQuotes = true;
    at += 1;
  }
  throw unreadable('a quoted cell without an end');
}

function bareEnd(buffer: Buffer, from: number): number {
  let at = from;
  for (; at < buffer.length; at += 1) {
    const byte = buffer[at];
    if (byte === COMMA || byte === CR || byte === LF || byte === QUOTE) break;
  }
  return at;
}
