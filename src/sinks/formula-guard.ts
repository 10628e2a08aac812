/** The start of a cell that a spreadsheet runs as a formula (OWASP, "CSV Injection"), full-width signs included. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

/** A text that no spreadsheet runs. */
export const guarded = (text: string): string => (FORMULA.test(text) ? `'${text}` : text);

/** The text before it was guarded. One that began with `'` and a sign before loses that `'`, too: nobody can see which it was. */
export const unguarded = (text: string): string =>
  text.startsWith("'") && FORMULA.test(text.slice(1)) ? text.slice(1) : text;
