import { createHash } from 'node:crypto';
import { ConfigError } from '../errors.js';
import { type Pseudonymous, pseudonymsRead } from '../lake/pseudonyms-read.js';
import { type ForeignCsv, readCsv } from './read-csv.js';

/** What an identity provider's export says. */
export interface IdentityProviderExport {
  /** The column that was read. */
  readonly column: string;
  /** Accounts that have an address. */
  readonly rows: number;
  /** The addresses, each in its normal form, once. About 100 bytes each: they are held. */
  readonly addresses: ReadonlySet<string>;
}

/** The columns that hold the address, as the exports of Okta, Entra ID, Google and others name it; the first that is there is taken. */
const COLUMNS = [
  'email',
  'e-mail',
  'mail',
  'email address',
  'email address [required]',
  'primary email',
  'primaryemail',
  'user email',
  'emails',
  'user principal name',
  'userprincipalname',
  'user name',
  'username',
  'login',
];

/** Addresses that mean the same are the same text: Unicode NFC, no space around it, lower case. */
export const normalAddress = (text: string): string => text.normalize().trim().toLowerCase();

/**
 * Reads an export of accounts: CSV with a header and a column with the e-mail address, or the user name where that is one.
 * @param of makes an address what the snapshot has of it, where that has pseudonyms
 * @throws ConfigError `email_column_missing`, `file_empty`, and what `readCsv` throws
 */
export async function readIdentityProvider(
  file: ForeignCsv,
  of: (address: string) => string = (address) => address,
): Promise<IdentityProviderExport> {
  const table = await readCsv(file);
  const names = new Set(table.columns.map(bare));
  const wanted = COLUMNS.find((name) => names.has(bare(name)));
  const column = table.columns.find((name) => wanted !== undefined && bare(name) === bare(wanted));
  if (column === undefined) {
    throw new ConfigError(
      `${file.place} has no column with e-mail addresses: its header needs "email" or "user name".`,
      { code: 'email_column_missing' },
    );
  }
  const addresses = new Set<string>();
  let rows = 0;
  for await (const { cells } of table.rows()) {
    const address = normalAddress(cells[column] ?? '');
    if (address === '') continue;
    rows += 1;
    addresses.add(of(address));
  }
  if (rows > 0) return { column, rows, addresses };
  throw new ConfigError(`${file.place} has no account with an e-mail address.`, { code: 'file_empty' });
}

/** `User_Name`, `user-name` and `userName` are one column. */
const bare = (name: string): string => name.toLowerCase().replaceAll(/[\s_-]/g, '');

/**
 * What accounts are looked up in, with its evidence. Addresses become pseudonyms where those of the snapshot are.
 * @throws ConfigError `addresses_are_pseudonyms`, and what `readIdentityProvider` throws
 */
export async function lookUpAccounts(provider: ForeignCsv | undefined, snapshot: Pseudonymous) {
  if (!provider) return undefined;
  const { bytes, place } = provider;
  const { pseudonyms } = snapshot;
  const hasPseudonyms = pseudonymsRead(snapshot)?.columns.includes(EMAIL) ?? false;
  if (hasPseudonyms && !pseudonyms) {
    throw new ConfigError(
      `The addresses of this snapshot are pseudonyms: to look accounts up in ${place}, give --pseudonymize, --keep-domain and the key with which it was dumped.`,
      { code: 'addresses_are_pseudonyms' },
    );
  }
  const hash = createHash('sha256');
  let size = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      hash.update(chunk);
      size += chunk.byteLength;
      yield chunk;
    }
  }
  const of = hasPseudonyms && pseudonyms ? (address: string) => pseudonyms.of('email', address) : undefined;
  const { column, rows, addresses } = await readIdentityProvider({ bytes: counted(), place }, of);
  const evidence = { column, accounts: rows, bytes: size, sha256: hash.digest('hex') };
  return { addresses, evidence };
}

/** The column that accounts are found by. */
const EMAIL = 'email';
