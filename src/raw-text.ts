/**
 * Raw text is the UTF-8 of a text, a character a byte: what `latin1` makes of its bytes. A page without escapes is parsed as raw text.
 * Decoding it would cost more than parsing it, and a file gets the same bytes again. Text of ASCII alone is its own raw text.
 */

const BEYOND_ASCII = /[\u0080-\u00ff]/;

/** The text of a raw one. */
export const textOf = (raw: string): string =>
  BEYOND_ASCII.test(raw) ? Buffer.from(raw, 'latin1').toString('utf8') : raw;

/** The raw text of a text. */
export const rawOf = (text: string): string => Buffer.from(text).toString('latin1');
