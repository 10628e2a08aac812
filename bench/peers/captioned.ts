import type { Figures, Taken } from './result.js';

const PROVISIONAL =
  '**Provisional figures**: taken to show the form, on a small scale or on a machine that did other work. Not to be quoted.';

/** Where and when, and a table. */
export const captioned = (
  { isProvisional, at, machine }: Taken,
  title: string,
  rows: readonly (readonly (string | number)[])[],
): string => {
  const [head = [], ...body] = rows;
  const rule = head.map((_, i) => (i === 0 ? '---' : '---:'));
  const lines = [head, rule, ...body].map((cells) => `| ${cells.join(' | ')} |`);
  return [...(isProvisional ? [PROVISIONAL, ''] : []), `${title}; ${machine}, ${at}.`, '', ...lines].join(
    '\n',
  );
};

/** A figure as it is shown. */
export const fixed = (value: number, digits = 2): string => value.toFixed(digits);
/** Nothing for no bytes. */
export const megabytes = (bytes: number): string => (bytes === 0 ? '' : fixed(bytes / 1e6, 1));
const TITLES = { floor: 'floor', ours: 'ours', peer: '' } as const;
/** Whose program it is, and what it does; ours stand out. */
export const titleOf = ({ group, title }: Pick<Figures, 'group' | 'title'>): string => {
  const titled = TITLES[group] === '' ? title : `${TITLES[group]}: ${title}`;
  return group === 'ours' ? `**${titled}**` : titled;
};
