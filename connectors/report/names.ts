import type { Count, OrganizationFigures, ReportData } from '../../src/index.js';

/** How a page names an organisation: by its name, and by its UUID where it has none, or shares it. */
export function organizationNaming({
  organizations,
}: {
  readonly organizations: readonly OrganizationFigures[];
}) {
  const uses = new Map<string, number>();
  for (const { name } of organizations) if (name) uses.set(name, (uses.get(name) ?? 0) + 1);
  const names = new Map(
    organizations.map(({ uuid, name }) => [
      uuid,
      !name ? uuid : uses.get(name) === 1 ? name : `${name} (${uuid})`,
    ]),
  );
  return (uuid: string): string => names.get(uuid) ?? uuid;
}

/** A built-in role. */
export const roleName = (role: string | null): string => role ?? 'role not served';

const COUNTS = { not_there: 'not there', not_read: 'not read' };

/** How many there were. */
export const countCell = (value: Count | null): string | number =>
  typeof value === 'number' ? value : COUNTS[value ?? 'not_read'];

const STATUSES: Record<ReportData['days'][number]['status'], string> = {
  complete: 'complete',
  scoped: 'only a part was asked for',
  incomplete: 'a list failed',
  pruned: 'files removed',
  no_snapshot: 'no snapshot',
  unreadable: 'manifest unreadable',
};

/** What became of a day. */
export const statusName = (status: ReportData['days'][number]['status']): string => STATUSES[status];
