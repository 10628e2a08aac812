import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type Manifest, manifestFiles, type Row, streams } from '../../../src/index.js';
import type { Day, JsonRecord } from '../../diff/support/made-up-api.js';
import { readersOf } from '../../sinks/readers.js';

/** A person who is to be erased, and the texts that say who she is. */
export const PERSON = 'user_01AdaLovelace00000000000';
const NAMES = ['Ada Lövelace', 'Ada  King'] as const;
const EMAILS = ['ada.lovelace@example.com', 'a.king@example.com'] as const;
/** Everything that may be left of her nowhere. */
export const PERSON_TEXTS = [PERSON, ...EMAILS, ...NAMES, 'ADA.LOVELACE@EXAMPLE.COM', 'Ada Lo\u0308velace'];

const [ONE, TWO, THREE] = ['a', 'b', 'c'].map((letter) => `${letter.repeat(8)}-0000-4000-8000-000000000000`);

const other = (n: number, more: JsonRecord = {}): JsonRecord => ({
  id: `user_01Other0000000000000000${n}`,
  full_name: `Other "${n}" Ü,\nPerson`,
  email: `other${n}@example.com`,
  organization_role: n === 2 ? null : 'user',
  created_at: ['2025-01-31T23:59:59.1234567Z', '2025-02-01T00:59:59.123456+01:00', null][n % 3] ?? null,
  ...more,
});

/**
 * What the API serves on one day: her membership of two organisations and two groups, one of which she has for herself, and all that
 * the API says about her elsewhere. Her name and her address are others on the first day.
 * @param lookalikes adds texts that are somebody else's, although hers are in them
 */
export function dayWithPerson(day: 0 | 1 | 2, { lookalikes = false } = {}): Day {
  const [name, email] = [NAMES[day === 0 ? 1 : 0], EMAILS[day === 0 ? 1 : 0]] as const;
  const ada = (more: JsonRecord = {}): JsonRecord => ({
    id: PERSON,
    full_name: name,
    email,
    organization_role: 'owner',
    created_at: '2024-12-31T23:59:59.1234567Z',
    nickname: 'Countess',
    ...more,
  });
  return {
    failing: [],
    lists: {
      organizations: [
        { uuid: ONE, name: `${NAMES[0]}'s Organization`, created_at: '2024-01-01T00:00:00Z' },
        { uuid: TWO, name: '=1+1', created_at: '2024-01-01T00:00:00.5Z' },
        { uuid: THREE, name: 'Nobody', created_at: null },
      ] as JsonRecord[],
      [`users/${ONE}`]: [other(0), ada(), other(1, { manager: { id: PERSON, who: [EMAILS[0], 'boss'] } })],
      [`users/${TWO}`]: [
        ada({ organization_role: 'user' }),
        other(2),
        // Another person of the same name, with a shared address.
        ...(lookalikes ? [other(3, { full_name: NAMES[0], email: EMAILS[0] })] : []),
        other(4, { [EMAILS[1]]: 12.5, '-5': -5 }),
      ],
      [`users/${THREE}`]: [],
      [`roles/${ONE}`]: [
        {
          id: 'rbac_role_1',
          name: 'Role',
          description: `Ask Ada\tKing <${EMAILS[0].toUpperCase()}>.`,
          created_at: null,
          updated_at: null,
        },
      ],
      [`roles/${TWO}`]: [],
      [`roles/${THREE}`]: [],
      [`role_permissions/${ONE}/rbac_role_1`]: [
        { action: 'impersonate', resource_type: 'user', resource_id: PERSON },
        { action: 'impersonate', resource_type: 'user', resource_id: lookalikes ? `${PERSON}0` : '*' },
      ],
      groups: [
        { ...group(1), description: 'Of Ada Lo\u0308velace and others', roles: ['rbac_role_1', PERSON] },
        { ...group(2), description: lookalikes ? 'Nada.lovelace@example.com' : '', roles: null },
      ],
      'group_members/rbac_group_1': [member(PERSON, email), member('user_01Gone', 'gone@example.com')],
      'group_members/rbac_group_2': [member(PERSON, email)],
      [`organization_settings/${ONE}`]: [
        { name: 'admins', type: 'string_list', value: [PERSON, { [PERSON]: [`mailto:${EMAILS[0]}`] }, 1e21] },
      ],
      [`organization_settings/${TWO}`]: [{ name: 'limit', type: 'integer', value: -5 }],
      [`organization_settings/${THREE}`]: [],
      api_keys: [
        { ...key(1), name: `${NAMES[0]}'s key`, created_by_id: PERSON },
        { ...key(2), name: 'Ada', created_by_id: 'user_01Gone' },
      ],
    },
  };
}

const group = (n: number): JsonRecord => ({
  id: `rbac_group_${n}`,
  name: `Group ${n}`,
  source_type: 'direct',
  created_at: '2026-01-01T00:00:00',
  updated_at: null,
});
const member = (user_id: string, email: string): JsonRecord => ({
  user_id,
  email,
  created_at: '2026-01-01T00:00:00.1234567',
  updated_at: null,
});
const key = (n: number): JsonRecord => ({
  id: `key_${n}`,
  scopes: ['read:compliance_org_data'],
  is_active: true,
  created_at: '2026-01-01T00:00:00Z',
  expires_at: null,
});

/** The rows of each table as another implementation reads them, in the order of the manifest. */
export async function tablesOf(root: string, manifest: Manifest): Promise<Record<string, Row[]>> {
  const tables: Record<string, Row[]> = {};
  for (const { path, table } of manifestFiles(manifest)) {
    const schema = streams.find(({ name }) => name === table)?.schema;
    if (!schema) throw new TypeError(`there is a stream ${table}`);
    const extension = path.slice(path.indexOf('.') + 1);
    const file = await readFile(join(root, path));
    const rows = (await readersOf[manifest.format]?.at(-1)?.read(file, extension, schema)) ?? [];
    tables[table] = [...(tables[table] ?? []), ...(rows as Row[])];
  }
  return tables;
}

/** The rows of a table without her, and with `replacement` wherever else she was, by text alone. */
export function withoutPerson(table: string, rows: readonly Row[], replacement: string): Row[] {
  const pattern = new RegExp(
    `${PERSON}(?!0)|(?<!n)(?:ada\\.lovelace|a\\.king)@example\\.com|Ada L(?:ö|o\u0308)velace|Ada(?: |\\t)+King`,
    'gi',
  );
  const inTexts = (value: unknown): unknown => {
    if (typeof value === 'string') return value.replaceAll(pattern, replacement);
    if (Array.isArray(value)) return value.map(inTexts);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [inTexts(name), inTexts(inner)]));
  };
  return rows
    .filter(({ id, user_id }) => id !== PERSON && user_id !== PERSON)
    .map((row) => {
      const replaced = inTexts(row) as Row;
      const { full_name, email } = row;
      return table === 'users'
        ? { ...replaced, full_name: full_name ?? null, email: email ?? null }
        : replaced;
    });
}

/** Below a folder: the files that hold one of the texts in any of some encodings, compressed by gzip or not. */
export async function filesNaming(folder: string, texts: readonly string[]): Promise<string[]> {
  const needles = texts.flatMap(encodings);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const naming: string[] = [];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(folder.length + 1);
    const bytes = entry.isFile() ? await readFile(path) : Buffer.from('');
    const plain = name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
    const all = Buffer.concat([Buffer.from(`${name}\n`), bytes, plain]);
    if (needles.some((needle) => all.includes(needle))) naming.push(name);
  }
  return naming;
}

/** A text as UTF-8, UTF-16 and JSON with escapes. */
function encodings(text: string): Buffer[] {
  const escaped = JSON.stringify(text)
    .slice(1, -1)
    .replaceAll(/[^ -~]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return [Buffer.from(text), Buffer.from(text, 'utf16le'), Buffer.from(escaped)];
}
