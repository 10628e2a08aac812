import Table from 'cli-table3';

/** A column of a table for people. */
export interface TableColumn {
  name: string;
  /** Numbers are on the right, and are never cut. Default: left. */
  align?: 'left' | 'right';
  /** Left out where the terminal is too narrow; the highest number first. Default: never. */
  omit?: number;
}

interface TableText {
  columns: readonly TableColumn[];
  /** A text for each column, on one line. */
  rows: readonly (readonly string[])[];
  /** Characters of a line of the terminal; undefined: nobody counts them. */
  width: number | undefined;
  /** Lines around the cells, for texts that may be empty. */
  borders?: boolean;
}

/** Of a column of texts, where there is room for more. */
const MAX_WIDTH = 48;
/** Of a column of texts that was cut; a table that would need less is turned. */
const MIN_WIDTH = 12;

const NO_BORDERS = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' },
};

/**
 * Rows for people. A table that is wider than the terminal lacks the columns that may be left out; then its texts are cut, which
 * is shown by `…`; then it is turned: a line for each cell.
 */
export function tableText({ columns, rows, width = Number.POSITIVE_INFINITY, borders = false }: TableText) {
  const all = columns.map((column, index) => ({ column, cells: rows.map((row) => row[index] ?? '') }));
  const omittable = all
    .filter(({ column }) => column.omit !== undefined)
    .sort((a, b) => (b.column.omit ?? 0) - (a.column.omit ?? 0));
  for (let omitted = 0; omitted <= omittable.length; omitted += 1) {
    const left = all.filter((one) => !omittable.slice(0, omitted).includes(one));
    const natural = naturalWidths(left);
    const isLast = omitted === omittable.length;
    const widths = fitted(left, natural, width - gaps(left.length, borders), isLast ? MIN_WIDTH : MAX_WIDTH);
    if (widths) return drawn(left, widths, borders);
  }
  return turned(all, width);
}

interface Cells {
  column: TableColumn;
  cells: string[];
}

/** The characters of a line that are between the cells. */
const gaps = (columns: number, borders: boolean): number => (borders ? 3 * columns + 1 : 2 * (columns - 1));

/** As wide as the cells are on a terminal, where some characters take two places: the library knows. */
function naturalWidths(columns: readonly Cells[]): number[] {
  const [border = ''] = drawn(columns, undefined, true).split('\n');
  return border.split('┬').map((part) => (part.match(/─/g)?.length ?? 0) - 2);
}

/** The widths of the columns when texts are cut to the same width, as little as is needed; undefined: it does not fit. */
function fitted(
  columns: readonly Cells[],
  natural: readonly number[],
  room: number,
  least: number,
): number[] | undefined {
  for (let most = MAX_WIDTH; most >= least; most -= 1) {
    const widths = natural.map((width, index) =>
      columns[index]?.column.align === 'right' ? width : Math.min(width, most),
    );
    if (widths.reduce((sum, width) => sum + width, 0) <= room) return widths;
  }
  return undefined;
}

/** @param widths of the cells without their padding; undefined: as wide as they are */
function drawn(columns: readonly Cells[], widths: readonly number[] | undefined, borders: boolean): string {
  const padding = borders ? 1 : 0;
  const table = new Table({
    head: columns.map(({ column }) => column.name),
    colAligns: columns.map(({ column }) => column.align ?? 'left'),
    ...(widths && { colWidths: widths.map((width) => width + 2 * padding) }),
    ...(!borders && { chars: NO_BORDERS }),
    style: { head: [], border: [], compact: true, 'padding-left': padding, 'padding-right': padding },
  });
  const [first] = columns;
  for (const row of first?.cells.keys() ?? []) table.push(columns.map(({ cells }) => cells[row] ?? ''));
  return withoutTrailingSpace(table.toString());
}

/** Each row as lines of its own, one for each column. */
function turned(columns: readonly Cells[], width: number): string {
  const names = Math.max(...columns.map(({ column }) => column.name.length));
  const rows = [...(columns[0]?.cells.keys() ?? [])];
  return rows
    .map((row) => {
      const table = new Table({
        colWidths: [names, Math.max(MIN_WIDTH, width - names - 2)],
        chars: NO_BORDERS,
        style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
      });
      for (const { column, cells } of columns) table.push([column.name, cells[row] ?? '']);
      return withoutTrailingSpace(table.toString());
    })
    .join('\n\n');
}

const withoutTrailingSpace = (text: string): string => text.replace(/ +$/gm, '');
