/** The one place where names and values become SQL text; nothing else in this folder writes quotes. */

/** A value of a statement. */
export type SqlValue = string | number | boolean | null;

/** How one engine writes names and values. */
export interface Quoting {
  /** One name, or a qualified one from its parts; parts that are undefined are left out. */
  name(...parts: (string | undefined)[]): string;
  /** @throws TypeError for a text that no engine takes as it is */
  value(value: SqlValue): string;
}

/**
 * Backslashes in a text: `plain` where they mean themselves, `doubled` where they escape, `refused` where that depends on
 * a setting of the server.
 */
type Backslashes = 'plain' | 'doubled' | 'refused';

/** The quoting of an engine: the quotes of its names, and what a backslash means in its texts. */
export function quoting(mark: '"' | '`', backslashes: Backslashes): Quoting {
  return {
    name: (...parts) => {
      const known = parts.filter((part) => part !== undefined);
      for (const part of known) checkText(part, mark === '`' ? /[\\`]/ : undefined);
      return known.map((part) => `${mark}${part.replaceAll(mark, mark + mark)}${mark}`).join('.');
    },
    value: (value) => {
      if (value === null) return 'NULL';
      if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE';
      if (typeof value === 'number') return String(checkNumber(value));
      checkText(value, backslashes === 'refused' ? /\\/ : undefined);
      if (backslashes === 'doubled') return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
      return `'${value.replaceAll("'", "''")}'`;
    },
  };
}

/** As DuckDB, PostgreSQL and the SQL standard quote. */
export const standardQuoting: Quoting = quoting('"', 'plain');

/** A text as the body of a comment line. */
export const comment = (text: string): string => `-- ${text.replaceAll(/[\r\n\u2028\u2029]+/g, ' ')}`;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not come through
const CONTROL = /[\u0000-\u001f\u007f]/;

function checkText(text: string, refused: RegExp | undefined): void {
  if (!CONTROL.test(text) && text.isWellFormed() && !refused?.test(text)) return;
  throw new TypeError('A name or a value with control characters, backslashes or quotes cannot go into SQL.');
}

function checkNumber(value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new TypeError(`${value} is not a whole number that SQL holds exactly.`);
}
