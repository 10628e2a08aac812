/** A row of a Markdown table. */
export const row = (cells: readonly (string | number)[]): void => console.log(`| ${cells.join(' | ')} |`);

/** The beginning of a table: its title, and its columns: one of names, then numbers. */
export function head(title: string, columns: readonly string[]): void {
  console.log(`\n${title}\n`);
  row(['', ...columns]);
  row(['---', ...columns.map(() => '---:')]);
}
