/** A row of a Markdown table. */
export const row = (cells: readonly (string | number)[]): void => console.log(`| ${cells.join(' | ')} |`);

/** The beginning of one: what it tells, and its columns of numbers behind one of names. */
export function head(title: string, columns: readonly string[]): void {
  console.log(`\n${title}\n`);
  row(['', ...columns]);
  row(['---', ...columns.map(() => '---:')]);
}
