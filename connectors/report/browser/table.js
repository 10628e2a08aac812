// The table of people: sorts, filters and turns pages. A text of the data is only ever a text here.

/** @import { PageData, Person } from '../page-format.js' */

/** @type {{ TableCore: typeof import('@tanstack/table-core') }} */
const { TableCore } = /** @type {any} */ (globalThis);
/** @type {PageData} */
const { people } = JSON.parse(document.getElementById('data')?.textContent ?? '');

const ROWS = 100;
/** Without options: browsers compare plain letters fastest. */
const { compare } = new Intl.Collator('en');

/** @type {[id: string, title: string, text: (person: Person) => string][]} */
const COLUMNS = [
  ['id', 'person', ([id]) => id],
  ['name', 'name', ([, name]) => name ?? ''],
  ['email', 'e-mail', ([, , email]) => email ?? ''],
  ['organization', 'organisation', ([, , , organization]) => people.organizations[organization] ?? ''],
  ['role', 'role', ([, , , , role]) => role ?? ''],
];

/** @type {import('@tanstack/table-core').TableState} */
let state;
const table = TableCore.createTable({
  data: /** @type {Person[]} */ (people.rows),
  columns: COLUMNS.map(([id, , accessorFn]) => ({
    id,
    accessorFn,
    sortingFn: (
      /** @type {import('@tanstack/table-core').Row<Person>} */ one,
      /** @type {import('@tanstack/table-core').Row<Person>} */ other,
      /** @type {string} */ column,
    ) => compare(one.getValue(column), other.getValue(column)),
  })),
  state: {},
  onStateChange(change) {
    state = typeof change === 'function' ? change(state) : change;
    table.setOptions((options) => ({ ...options, state }));
    show();
  },
  renderFallbackValue: null,
  sortDescFirst: false,
  globalFilterFn: 'includesString',
  getColumnCanGlobalFilter: () => true,
  getCoreRowModel: TableCore.getCoreRowModel(),
  getFilteredRowModel: TableCore.getFilteredRowModel(),
  getSortedRowModel: TableCore.getSortedRowModel(),
  getPaginationRowModel: TableCore.getPaginationRowModel(),
});
state = { ...table.initialState, pagination: { pageIndex: 0, pageSize: ROWS } };
table.setOptions((options) => ({ ...options, state }));

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} name
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} content
 */
function element(name, attributes = {}, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content);
  return made;
}

const filter = element('input', { type: 'search', id: 'filter', autocomplete: 'off' });
const said = element('p', { role: 'status' });
const [first, before, after, last] = /** @type {const} */ ([
  ['First page', () => table.setPageIndex(0)],
  ['Page before', () => table.previousPage()],
  ['Next page', () => table.nextPage()],
  ['Last page', () => table.setPageIndex(table.getPageCount() - 1)],
]).map(([title, turn]) => {
  const button = element('button', { type: 'button' }, title);
  button.addEventListener('click', turn);
  return button;
});
const headers = COLUMNS.map(([id, title]) => {
  const sign = element('span', { 'aria-hidden': 'true' });
  const button = element('button', { type: 'button' }, title, ' ', sign);
  const cell = element('th', { scope: 'col' }, button);
  button.addEventListener('click', () => table.getColumn(id)?.toggleSorting());
  return { id, cell, sign };
});
const body = element('tbody');
filter.addEventListener('input', () => table.setGlobalFilter(filter.value));

const SIGNS = { asc: ['ascending', '▲'], desc: ['descending', '▼'], none: ['none', '↕'] };

function show() {
  for (const { id, cell, sign } of headers) {
    const [order = '', mark = ''] = SIGNS[table.getColumn(id)?.getIsSorted() || 'none'];
    cell.setAttribute('aria-sort', order);
    sign.textContent = mark;
  }
  const rows = table.getRowModel().rows;
  body.replaceChildren(
    ...rows.map((row) => {
      const [id, ...cells] = COLUMNS.map(([column]) => element('bdi', {}, String(row.getValue(column))));
      return element(
        'tr',
        {},
        element('th', { scope: 'row' }, id ?? ''),
        ...cells.map((cell) => element('td', {}, cell)),
      );
    }),
  );
  const found = table.getFilteredRowModel().rows.length;
  const start = state.pagination.pageIndex * ROWS;
  const count = (/** @type {number} */ value) => value.toLocaleString('en-GB');
  said.textContent =
    found === 0
      ? 'No row has this text.'
      : `${count(start + 1)} to ${count(start + rows.length)} of ${count(found)} rows`;
  for (const button of [first, before]) button?.toggleAttribute('disabled', !table.getCanPreviousPage());
  for (const button of [after, last]) button?.toggleAttribute('disabled', !table.getCanNextPage());
}

document
  .querySelector('[data-people]')
  ?.append(
    element(
      'div',
      { class: 'people-tools' },
      element('label', { for: 'filter' }, 'Only rows that contain'),
      filter,
      ...[first, before, after, last].filter((button) => button !== undefined),
      said,
    ),
    element(
      'div',
      { class: 'scroll', role: 'group', tabindex: '0', 'aria-label': 'People' },
      element(
        'table',
        {},
        element('caption', {}, 'People and their organisations'),
        element('thead', {}, element('tr', {}, ...headers.map(({ cell }) => cell))),
        body,
      ),
    ),
  );
show();
document.querySelector('[data-without=table]')?.remove();
