import { currentAccessDay, currentAccessView } from '../effective-access.js';
import type { Postgres } from './connection.js';
import { postgresDialect } from './dialect.js';

const { name, value } = postgresDialect.quoting;

/**
 * Writes the current day into the view on it. A view that looked the day up would be planned, and compiled, for the
 * partitions of every day: a minute and more for a year of them. Its comment says the day; while that stays the same, the
 * view is not touched, so that no reader waits.
 */
export async function setCurrentAccess(postgres: Postgres, schema: string): Promise<void> {
  const into = { dialect: postgresDialect, schema };
  const view = name(schema, currentAccessView.name);
  const [current] = await postgres.rows(`SELECT ${currentAccessDay(into)}::text AS day`);
  const comment = `Who may do what, by the snapshot of ${current?.day}.`;
  const [found] = await postgres.rows('SELECT obj_description(to_regclass($1)) AS comment', [view]);
  if (found?.comment === comment) return;
  await postgres.rows(currentAccessView.create(into, `DATE ${value(String(current?.day))}`));
  await postgres.rows(`COMMENT ON VIEW ${view} IS ${value(comment)}`);
}
