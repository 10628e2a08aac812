import { readFile } from 'node:fs/promises';
import { ConfigError } from '../../../src/index.js';

/** Where a PostgreSQL is, who asks, and how the line is secured. The names are those of the `pg` package. */
export interface PostgresAddress {
  host: string;
  port: number;
  database?: string;
  user?: string;
  password?: string;
  ssl: false | PostgresTls;
}

interface PostgresTls {
  rejectUnauthorized: boolean;
  ca?: string;
  cert?: string;
  key?: string;
  checkServerIdentity?: () => undefined;
}

interface AddressSources {
  url: string | undefined;
  urlFile: string | undefined;
  environment: NodeJS.ProcessEnv;
}

/**
 * The address from `--url-file`, `--url`, `DATABASE_URL` or the `PG*` variables: the first that is given; what a URL
 * leaves out comes from the variables.
 * @throws ConfigError that never quotes the URL
 */
export async function postgresAddress(sources: AddressSources): Promise<PostgresAddress> {
  const { environment } = sources;
  const { url, parameters } = await readUrl(sources);
  const read = (part: string | undefined, parameter: string, variable: string): string | undefined =>
    parameters.get(parameter) || part || environment[variable] || undefined;

  const host = read(url?.hostname.replace(/^\[|\]$/g, ''), 'host', 'PGHOST') ?? 'localhost';
  const port = Number(read(url?.port, 'port', 'PGPORT') ?? 5432);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw invalid('The port is no number from 1 to 65535');
  const database = read(decode(url?.pathname.slice(1)), 'dbname', 'PGDATABASE');
  const user = read(decode(url?.username), 'user', 'PGUSER');
  const password = read(decode(url?.password), 'password', 'PGPASSWORD');
  const ssl = await tls({
    host,
    mode: read(undefined, 'sslmode', 'PGSSLMODE'),
    rootCert: read(undefined, 'sslrootcert', 'PGSSLROOTCERT'),
    cert: read(undefined, 'sslcert', 'PGSSLCERT'),
    key: read(undefined, 'sslkey', 'PGSSLKEY'),
  });
  return {
    host,
    port,
    ...(database !== undefined && { database }),
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ssl,
  };
}

const PARAMETERS = [
  'host',
  'port',
  'dbname',
  'user',
  'password',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
];

async function readUrl({ url, urlFile, environment }: AddressSources) {
  const text = urlFile === undefined ? (url ?? environment.DATABASE_URL) : (await readText(urlFile)).trim();
  if (!text) return { url: undefined, parameters: new URLSearchParams() };
  if (!URL.canParse(text)) throw invalid('The URL cannot be read; is its password percent-encoded?');
  const parsed = new URL(text);
  const parameters = parsed.searchParams;
  if (!/^postgres(ql)?:$/.test(parsed.protocol)) throw invalid('The URL must begin with postgresql://');
  const unknown = [...parameters.keys()].filter((name) => !PARAMETERS.includes(name));
  if (unknown.length > 0) throw invalid('The URL has parameters that are not known here');
  if (text === url && (parsed.password !== '' || parameters.has('password'))) {
    throw invalid(
      'Everyone can read a password in --url in the process list: change it. Give the URL in DATABASE_URL or --url-file, or the password in PGPASSWORD',
    );
  }
  return { url: parsed, parameters };
}

function decode(text: string | undefined): string | undefined {
  try {
    return text && decodeURIComponent(text);
  } catch {
    throw invalid('The URL cannot be read; is its password percent-encoded?');
  }
}

interface TlsSettings {
  host: string;
  mode: string | undefined;
  rootCert: string | undefined;
  cert: string | undefined;
  key: string | undefined;
}

const MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];

/**
 * As libpq reads `sslmode`, with two exceptions, since personal data goes over the line: nothing falls back to plain
 * text, and without a mode a host that is not this machine must show a certificate that holds.
 */
async function tls({ host, mode, rootCert, cert, key }: TlsSettings): Promise<false | PostgresTls> {
  const settled = mode ?? (isThisMachine(host) ? 'disable' : 'verify-full');
  if (!MODES.includes(settled)) throw invalid(`sslmode must be one of ${MODES.join(', ')}`);
  if (settled === 'disable') return false;
  const ca = rootCert === undefined || rootCert === 'system' ? undefined : await readText(rootCert);
  const isVerified = settled.startsWith('verify') || ca !== undefined;
  return {
    rejectUnauthorized: isVerified,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert: await readText(cert) }),
    ...(key !== undefined && { key: await readText(key) }),
    ...(isVerified && settled !== 'verify-full' && { checkServerIdentity: () => undefined }),
  };
}

const isThisMachine = (host: string): boolean =>
  host.startsWith('/') || ['localhost', '127.0.0.1', '::1'].includes(host);

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw invalid(`${path} cannot be read (${(cause as NodeJS.ErrnoException).code})`);
  }
}

const invalid = (message: string): ConfigError =>
  new ConfigError(`${message}.`, { code: 'postgres_address_invalid' });
