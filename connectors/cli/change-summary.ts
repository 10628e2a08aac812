import { type ChangeRow, type Json, keyText, streams } from '../../src/index.js';
import { count } from '../kit/counts.js';
import { printable } from '../kit/printable.js';

/** Rows of one kind: of a stream, and of a column where it is about one. */
interface Kind {
  title: string;
  rows: number;
  effects: Map<string, number>;
  lines: string[];
}

/** How people call what happens to the records of a stream that moves between organisations: they are people. */
const WORDS_OF_PEOPLE: Record<string, string> = { added: 'joined', removed: 'left' };

/** Collects what changed, as much of it as people read. @param limit lines for each kind */
export function changeSummary(limit: number) {
  const kinds = new Map<string, Kind>();
  let rows = 0;
  return {
    rows: () => rows,
    add(row: ChangeRow): void {
      rows += 1;
      const title = titleOf(row);
      const kind: Kind = kinds.get(title) ?? { title, rows: 0, effects: new Map(), lines: [] };
      kinds.set(title, kind);
      kind.rows += 1;
      if (row.effect) kind.effects.set(row.effect, (kind.effects.get(row.effect) ?? 0) + 1);
      if (kind.lines.length < limit) kind.lines.push(lineOf(row));
    },
    /** The kinds with their first lines. */
    lines(): string[] {
      if (rows === 0) return ['  nothing'];
      return inOrder(kinds).flatMap((kind) => [
        `  ${headOf(kind)}`,
        ...kind.lines.map((line) => `    ${line}`),
        ...(kind.rows > kind.lines.length ? [`    … and ${count(kind.rows - kind.lines.length)} more`] : []),
      ]);
    },
    /** The kinds alone. */
    totals: (): string[] => (rows === 0 ? ['  nothing'] : inOrder(kinds).map((kind) => `  ${headOf(kind)}`)),
  };
}

/** What is not known comes last. */
const inOrder = (kinds: ReadonlyMap<string, Kind>): Kind[] => {
  const all = [...kinds.values()];
  const isUnknown = ({ title }: Kind) => title.endsWith(UNKNOWN);
  return [...all.filter((kind) => !isUnknown(kind)), ...all.filter(isUnknown)];
};

const UNKNOWN = 'not compared';

function titleOf({ stream, change, field }: ChangeRow): string {
  if (change === 'unknown') return `${stream}: ${UNKNOWN}`;
  if (change === 'changed') return `${stream}: ${field} changed`;
  const isPeople = streams.find(({ name }) => name === stream)?.movesBetweenLists;
  return `${stream}: ${(isPeople ? WORDS_OF_PEOPLE[change] : undefined) ?? change}`;
}

function headOf({ title, rows, effects }: Kind): string {
  const privilege = ['rose', 'fell'].flatMap((effect) => {
    const number = effects.get(effect);
    return number ? [`privilege ${effect}: ${count(number)}`] : [];
  });
  return [`${title} (${count(rows)})`, ...privilege].join(', ');
}

function lineOf({
  change,
  field,
  key,
  label,
  organization_uuid,
  before,
  after,
  effect,
  reason,
}: ChangeRow): string {
  const id = Object.entries(key)
    .filter(([name, value]) => name !== 'organization_uuid' && value !== null)
    .map(([, value]) => value)
    .join(' ');
  const place = organization_uuid === null ? '' : ` in ${organization_uuid}`;
  const what = `${printable(label ?? (id || 'all'))}${label === null || id === '' ? '' : ` (${printable(id)})`}`;
  if (change === 'unknown') {
    const list = field ?? (keyText(key as Record<string, string>) || 'the list');
    return printable(`${list}: ${reason}${field === null ? ` (${before} → ${after})` : ''}`, WHOLE);
  }
  if (change === 'moved') return `${what}: ${placeOf(before)} → ${placeOf(after)}`;
  if (change !== 'changed')
    return `${what}${place}${reason === null ? '' : ` (${reason.replace('_', ' ')})`}`;
  return `${what}${place}: ${shown(before)} → ${shown(after)}${effect === null ? '' : ` (${effect})`}`;
}

/** Ids and codes are not cut. */
const WHOLE = 500;

const placeOf = (parent: Json): string => Object.values(parent as Record<string, string>).join('/');

const shown = (value: Json): string =>
  value === null
    ? 'nothing'
    : printable(typeof value === 'string' && value !== '' ? value : JSON.stringify(value));
