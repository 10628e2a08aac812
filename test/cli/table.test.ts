import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type TableColumn, tableText } from '../../connectors/kit/table.js';

const linesOf = (text: string): string[] => text.split('\n');

describe('a table', () => {
  const columns: readonly TableColumn[] = [
    { name: 'name' },
    { name: 'note', omit: 1 },
    { name: 'rows', align: 'right' },
  ];
  const rows = [
    ['short', 'a note', '1'],
    ['a name of forty characters, which is long', '', '1,234,567'],
  ];

  it('is as wide as its cells where nobody counts the columns', () => {
    expect(linesOf(tableText({ columns, rows, width: undefined }))).toEqual([
      'name                                       note         rows',
      'short                                      a note          1',
      'a name of forty characters, which is long          1,234,567',
    ]);
  });

  it('lacks what may be left out before any text of it is cut', () => {
    expect(linesOf(tableText({ columns, rows, width: 53 }))).toEqual([
      'name                                            rows',
      'short                                              1',
      'a name of forty characters, which is long  1,234,567',
    ]);
    expect(linesOf(tableText({ columns, rows, width: 30 }))).toEqual([
      'name                      rows',
      'short                        1',
      'a name of forty ch…  1,234,567',
    ]);
  });

  it('has a line for each cell where its texts would be cut to almost nothing', () => {
    expect(linesOf(tableText({ columns, rows, width: 22 }))).toEqual([
      'name  short',
      'note  a note',
      'rows  1',
      '',
      'name  a name of forty…',
      'note',
      'rows  1,234,567',
    ]);
  });

  it('counts the characters that take two places', () => {
    const wide = tableText({
      columns: [{ name: 'n' }],
      rows: [['张秀英'], ['José']],
      width: 10,
      borders: true,
    });
    expect(linesOf(wide)).toEqual([
      '┌────────┐',
      '│ n      │',
      '├────────┤',
      '│ 张秀英 │',
      '│ José   │',
      '└────────┘',
    ]);
  });

  it('is never wider than the terminal, and never cuts a number', () => {
    const cell = fc.string({ maxLength: 70 }).map((text) => text.trim());
    const row = fc.record({ texts: fc.array(cell, { minLength: 4, maxLength: 4 }), number: fc.nat() });
    const all: TableColumn[] = [
      { name: 'one' },
      { name: 'two', omit: 1 },
      { name: 'three', omit: 2 },
      { name: 'four' },
      { name: 'number', align: 'right' },
    ];
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 20, max: 250 }),
        fc.boolean(),
        (given, width, borders) => {
          const rows = given.map(({ texts, number }) => [...texts, String(number)]);
          const text = tableText({ columns: all, rows, width, borders });
          for (const line of linesOf(text)) expect(line.length).toBeLessThanOrEqual(width);
          for (const { number } of given) expect(text).toContain(String(number));
        },
      ),
    );
  });
});
