import type { Layout } from '../src/index.js';
import type { Answer } from './duckdb-query.js';
import { head, row } from './markdown-table.js';

export const LAYOUTS = ['per-org', 'per-date'] as const satisfies readonly Layout[];

/** One question, and how each layout is asked. */
export interface Query {
  name: string;
  sql: Record<Layout, string>;
}

/** One figure of an answer. */
export interface Figure<A> {
  name: string;
  digits?: number;
  of(answer: A): number;
}

export interface Comparison<A> {
  queries: readonly Query[];
  turns: number;
  figures: readonly Figure<A>[];
  question(sql: string): Promise<A>;
}

/** Prints the medians of each figure, per-org and per-date, and their ratio. */
export async function compare<A extends Answer>(
  title: string,
  { queries, figures, ...asking }: Comparison<A>,
): Promise<void> {
  const named = (prefix: string): string[] => figures.map(({ name }) => `${prefix} ${name}`);
  head(title, [...LAYOUTS.flatMap((layout) => named(`${layout}:`)), ...named('ratio of')]);
  for (const query of queries) {
    const answers = await askInTurns(query, asking);
    const medians = LAYOUTS.map((layout) => figures.map(({ of }) => median(answers[layout].map(of))));
    const [perOrg = [], perDate = []] = medians;
    row([
      query.name,
      ...medians.flatMap((values) => values.map((value, i) => value.toFixed(figures[i]?.digits ?? 0))),
      ...perOrg.map((value, i) => `${(value / (perDate[i] ?? 0)).toFixed(1)} ×`),
    ]);
  }
}

/** Also checks that both layouts give the same answer. */
async function askInTurns<A extends Answer>(
  { name, sql }: Query,
  { turns, question }: Pick<Comparison<A>, 'turns' | 'question'>,
): Promise<Record<Layout, A[]>> {
  const answers: Record<Layout, A[]> = { 'per-org': [], 'per-date': [] };
  for (let turn = 0; turn < turns; turn += 1)
    for (const layout of LAYOUTS) answers[layout].push(await question(sql[layout]));
  const given = new Set(LAYOUTS.flatMap((layout) => answers[layout].map(({ rows }) => JSON.stringify(rows))));
  if (given.size !== 1 || given.has('[]')) throw new Error(`${name}: the layouts give different answers`);
  return answers;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
