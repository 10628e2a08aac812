const MAX_WIDTH = 48;

/** Every line of a text, whole, and none that can move the cursor: for what others wrote, such as manifests and names of files. */
export const printableLines = (text: string): string =>
  text
    .split('\n')
    .map((line) => printable(line, Number.POSITIVE_INFINITY))
    .join('\n');

/** A text on one line that cannot move the cursor, cut to so many characters. */
export function printable(text: string, width = MAX_WIDTH): string {
  const plain = text.replace(/\p{C}/gu, '·');
  // Never half of a character that takes two places in a text.
  return plain.length > width ? `${plain.slice(0, width - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : plain;
}
