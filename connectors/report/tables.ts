import { type Html, html, type Shown } from '../../src/index.js';
import { count } from '../kit/counts.js';

/** A cell: a number, a text of the data, or a piece of HTML. */
export type Cell = string | number | null | Html;

/** A table of a page, in a box that scrolls sideways. A text of the data cannot change the direction of what is beside it. */
export function table(caption: string, head: readonly string[], rows: readonly (readonly Cell[])[]): Html {
  if (rows.length === 0)
    return html`<p>${caption}: none.</p>
`;
  return html`<div class="scroll" role="group" tabindex="0" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>
${rows.map(
  (row) => html`<tr>${row.map((cell, i) => cellOf(cell, i === 0))}</tr>
`,
)}</tbody>
</table></div>
`;
}

/** A table of which only the first rows may be there; then its caption says so. */
export const shownTable = <T>(
  caption: string,
  head: readonly string[],
  { rows, total }: Shown<T>,
  cells: (row: T) => readonly Cell[],
): Html => table(`${caption}${restOf(rows.length, total)}`, head, rows.map(cells));

/** What a caption says where not all rows are shown. */
export const restOf = (rows: number, total: number): string =>
  rows < total ? ` (the first ${count(rows)} of ${count(total)})` : '';

function cellOf(cell: Cell, isFirst: boolean): Html {
  if (typeof cell === 'number') return html`<td class="number">${count(cell)}</td>`;
  const text = cell === null ? html`–` : typeof cell === 'string' ? textOf(cell) : cell;
  return isFirst ? html`<th scope="row">${text}</th>` : html`<td>${text}</td>`;
}

/** A text in which nothing can be seen is named. */
const textOf = (text: string): Html => (text.trim() === '' ? html`<em>blank</em>` : html`<bdi>${text}</bdi>`);
