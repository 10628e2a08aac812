import { ConfigError } from '../errors.js';
import { openBucket } from './bucket.js';
import { LocalStorage } from './local.js';
import type { Storage } from './storage.js';

/** A kind of object store that a location may name. */
interface Scheme {
  /** Before the `://` of a location. */
  scheme: string;
  /** opendal's name of it. */
  service: string;
  /** opendal's name of what comes after the `://`. */
  bucket: 'bucket' | 'container';
  options: readonly string[];
  /** Options too, for programs that keep credentials elsewhere; never to be taken from a command line. */
  secrets: readonly string[];
  /** Where opendal puts the objects of other prefixes under other names. */
  prefix?: RegExp;
  /** How credentials are found, as one sentence of advice. */
  credentials: string;
}

const SCHEMES: readonly Scheme[] = [
  {
    scheme: 's3',
    service: 's3',
    bucket: 'bucket',
    options: [
      'endpoint',
      'region',
      'role_arn',
      'external_id',
      'role_session_name',
      'server_side_encryption',
      'server_side_encryption_aws_kms_key_id',
      'default_storage_class',
      'checksum_algorithm',
      'enable_virtual_host_style',
      'enable_request_payer',
      'disable_config_load',
      'disable_ec2_metadata',
      'allow_anonymous',
    ],
    secrets: ['access_key_id', 'secret_access_key', 'session_token'],
    credentials:
      'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile in ~/.aws, or a role of the machine.',
  },
  {
    scheme: 'gs',
    service: 'gcs',
    bucket: 'bucket',
    options: [
      'endpoint',
      'scope',
      'service_account',
      'credential_path',
      'predefined_acl',
      'default_storage_class',
      'disable_vm_metadata',
      'disable_config_load',
      // Not allow_anonymous: without credentials opendal 0.49.2 writes `a=b` under the name `a%3Db`.
    ],
    secrets: ['credential', 'token'],
    prefix: /^[\w.~=/-]*$/,
    credentials: 'Set GOOGLE_APPLICATION_CREDENTIALS to a key file, or use the account of the machine.',
  },
  {
    scheme: 'az',
    service: 'azblob',
    bucket: 'container',
    options: ['endpoint', 'account_name'],
    secrets: ['account_key', 'sas_token'],
    credentials: 'Set AZBLOB_ACCOUNT_NAME and AZBLOB_ACCOUNT_KEY, or an identity of the machine.',
  },
];

/** Names of options that hold credentials: a command line is read by others. */
export const secretStorageOptions: readonly string[] = SCHEMES.flatMap(({ secrets }) => secrets);

/** Whether a location is a folder on this machine. */
export const isLocalLocation = (location: string): boolean => !/^[a-z][a-z0-9+.-]+:\/\//i.test(location);

/**
 * Opens what a location names: a local folder, or `s3://bucket/prefix` (also `gs:` and `az:`).
 * @param options of that store; for a local folder `file_mode`, an octal number
 * @throws ConfigError `storage_scheme_unknown`, `storage_options_invalid`, `opendal_missing`
 */
export async function openStorage(
  location: string,
  options: Readonly<Record<string, string>> = {},
): Promise<Storage> {
  if (isLocalLocation(location)) return openFolder(location, options);
  const [, scheme, bucket = '', path = ''] = /^([^:]+):\/\/([^/]*)(.*)$/s.exec(location) ?? [];
  const known = SCHEMES.find((candidate) => candidate.scheme === scheme?.toLowerCase());
  if (!known) {
    throw new ConfigError(
      `${scheme}:// is not known. Give a local folder, or one of ${SCHEMES.map((each) => `${each.scheme}://`).join(', ')}.`,
      { code: 'storage_scheme_unknown' },
    );
  }
  if (!/^[A-Za-z0-9._-]+$/.test(bucket)) {
    throw invalid(`The location must look like ${known.scheme}://bucket/prefix`);
  }
  checkOptions(known.scheme, options, [...known.options, ...known.secrets]);
  const prefix = path.split('/').filter(Boolean).join('/');
  if (known.prefix?.test(prefix) === false) {
    throw invalid(`The prefix of ${known.scheme}:// may hold letters of ASCII, digits and ._~=- only`);
  }
  return await openBucket({
    service: known.service,
    options: { ...withEndpoint(known, options), [known.bucket]: bucket, root: `/${prefix}` },
    location: [`${known.scheme}://${bucket}`, prefix].filter(Boolean).join('/'),
    credentials: known.credentials,
  });
}

function openFolder(location: string, options: Readonly<Record<string, string>>): Storage {
  checkOptions('a local folder', options, ['file_mode']);
  const { file_mode: fileMode } = options;
  if (fileMode === undefined) return new LocalStorage(location);
  if (!/^0?[0-7]{3}$/.test(fileMode)) throw invalid('The option file_mode must be an octal mode such as 640');
  return new LocalStorage(location, { fileMode: Number.parseInt(fileMode, 8) });
}

function checkOptions(what: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw invalid(
    `${what} has no option ${unknown.join(', ')}; there is ${known.filter((name) => !secretStorageOptions.includes(name)).join(', ')}`,
  );
}

/** Azure's follows from the account's name; one that was given must be an address without credentials in it. */
function withEndpoint(
  { service }: Scheme,
  options: Readonly<Record<string, string>>,
): Record<string, string> {
  const { endpoint, account_name: account } = options;
  if (endpoint === undefined) {
    return service === 'azblob' && account !== undefined
      ? { ...options, endpoint: `https://${account}.blob.core.windows.net` }
      : options;
  }
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const isPlain = url && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '';
  if (!isPlain) throw invalid('The option endpoint must be an address such as https://s3.example.com');
  return options;
}

const invalid = (message: string): ConfigError =>
  new ConfigError(`${message}.`, { code: 'storage_options_invalid' });
