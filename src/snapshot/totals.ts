import { usersSchema } from '../schema.js';
import { type Manifest, manifestFiles } from './manifest.js';

const sum = (numbers: readonly number[]): number => numbers.reduce((total, next) => total + next, 0);

/** What a manifest says of itself that its own entries do not come to, as sentences. */
export function wrongTotals(manifest: Manifest): string[] {
  const { totals, slices, organizations, users, layout, scope } = manifest;
  const files = manifestFiles(manifest);
  const counted = {
    users: sum(slices.map(({ rows }) => rows)),
    organizations: organizations.rows,
    files: files.length,
    bytes: sum(files.map(({ bytes }) => bytes)),
  };
  const wrong = Object.entries(counted).filter(
    ([name, value]) => totals[name as keyof typeof counted] !== value,
  );
  const apart = slices.map(({ organization_uuid: uuid, ...slice }) => ({
    ...slice,
    of: `organisation ${uuid}`,
  }));
  const together = [{ ...users, rows: counted.users, of: usersSchema.name }];
  const unheld = (layout === 'per-org' ? apart : together).filter(
    ({ rows, files }) => rows !== sum(files.map((file) => file.rows)),
  );
  return [
    ...wrong.map(([name, value]) => `${name}: its entries come to ${value}`),
    ...(scope.streams.includes(usersSchema.name) ? unheld : []).map(
      ({ of, rows }) => `the files of ${of} do not hold its ${rows} rows`,
    ),
  ];
}
