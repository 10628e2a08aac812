import { type Failure, StorageError } from '../errors.js';

/** What was being done when an object store refused. */
export interface Attempt {
  /** `reading`, `writing`, … */
  verb: string;
  /** `s3://bucket/prefix/key` */
  what: string;
  /** How credentials of this store are found, as one sentence of advice. */
  credentials: string;
  /** Scheme and host of the endpoint, where one was given. */
  endpoint?: string | undefined;
}

/** The parts of opendal's message that may be shown: the rest holds addresses and what the store answered. */
interface Refusal {
  /** `PermissionDenied`, `ConditionNotMatch`, … */
  kind: string;
  /** HTTP's, where there was an answer. */
  status: number | undefined;
  /** The store's own word: `NoSuchBucket`. */
  storeCode: string | undefined;
  message: string;
}

interface Explanation {
  code: string;
  failure: Failure;
  /** What is the matter and what to try; starts a sentence. */
  advice: (attempt: Attempt) => string;
}

const CREDENTIALS_REFUSED: Explanation = {
  code: 'storage_credentials_refused',
  failure: 'config',
  advice: ({ credentials }) => `The store does not accept the credentials. ${credentials}`,
};

const UNREACHABLE: Explanation = {
  code: 'storage_unreachable',
  failure: 'transient',
  advice: ({ endpoint }) =>
    `The store${endpoint ? ` at ${endpoint}` : ''} cannot be reached: check the option endpoint and the network.`,
};

/** From the most specific to the least; the first that fits is shown. */
const EXPLANATIONS: readonly [fits: (refusal: Refusal) => boolean, Explanation][] = [
  // Credentials are exchanged for others over https; a machine's own are asked for over http, and may be absent.
  [
    ({ message }) => /LoadCredential.* (?:token|account|STS Services) failed: /s.test(message),
    CREDENTIALS_REFUSED,
  ],
  [({ message }) => /LoadCredential.* error sending request for url \(https:/s.test(message), UNREACHABLE],
  [
    ({ message }) => /no valid credential|LoadCredential/i.test(message),
    {
      code: 'storage_credentials_missing',
      failure: 'config',
      advice: ({ credentials }) => `No credentials were found. ${credentials}`,
    },
  ],
  [
    // Where no object is read, only the bucket can be absent; Google may say so in words only.
    ({ storeCode, kind }) =>
      /^(NoSuchBucket|ContainerNotFound|notFound)$/.test(storeCode ?? '') ||
      (kind === 'NotFound' && storeCode === undefined),
    {
      code: 'storage_bucket_missing',
      failure: 'config',
      advice: () => 'There is no such bucket: check its name, and the options endpoint and (on S3) region.',
    },
  ],
  [
    ({ storeCode, status }) =>
      status === 301 || /^(PermanentRedirect|AuthorizationHeaderMalformed)$/.test(storeCode ?? ''),
    {
      code: 'storage_region_wrong',
      failure: 'config',
      advice: () => 'The bucket is in another region: set the option region to the right one.',
    },
  ],
  [
    ({ storeCode, status }) =>
      status === 401 ||
      /^(InvalidAccessKeyId|SignatureDoesNotMatch|(Expired|Invalid)Token|AuthenticationFailed)$/.test(
        storeCode ?? '',
      ),
    CREDENTIALS_REFUSED,
  ],
  [
    ({ kind }) => kind === 'PermissionDenied',
    {
      code: 'storage_denied',
      failure: 'config',
      advice: () =>
        'The credentials are not allowed to: below the prefix they need to read, list, write and delete.',
    },
  ],
  [
    ({ kind }) => kind === 'ConditionNotMatch',
    {
      code: 'storage_changed',
      failure: 'transient',
      advice: () => 'Somebody else changed it at the same time: try again.',
    },
  ],
  [
    ({ kind, status = 0 }) => kind === 'RateLimited' || status >= 500,
    {
      code: 'storage_busy',
      failure: 'transient',
      advice: () => 'The store is busy or out of order, also after several tries: try again later.',
    },
  ],
  [({ status, message }) => status === undefined && /send http request|timeout/i.test(message), UNREACHABLE],
];

const UNKNOWN: Explanation = {
  code: 'storage_failed',
  failure: 'system',
  advice: () => 'Check the bucket, the prefix and the options.',
};

/** One sentence for what opendal threw, without anything that it quotes of requests and answers. */
export function bucketError(attempt: Attempt, error: unknown): StorageError {
  const refusal = parse(error);
  const { kind, status, storeCode } = refusal;
  const cause = new Error([kind, status && `HTTP ${status}`, storeCode].filter(Boolean).join(', '));
  if (isNotFound(error) && attempt.verb === 'reading' && storeCode !== 'NoSuchBucket') {
    return new StorageError(`There is no ${attempt.what}.`, { code: 'not_found', cause });
  }
  const { code, failure, advice } = EXPLANATIONS.find(([fits]) => fits(refusal))?.[1] ?? UNKNOWN;
  const reason = storeCode ?? (status === undefined ? kind : `HTTP ${status}`);
  return new StorageError(
    `${attempt.verb.charAt(0).toUpperCase()}${attempt.verb.slice(1)} ${attempt.what} failed (${reason}). ${advice(attempt)}`,
    { code, failure, cause },
  );
}

/** The object exists already, or is not the one that was expected. */
export const isConditionNotMet = (error: unknown): boolean => parse(error).kind === 'ConditionNotMatch';

export const isNotFound = (error: unknown): boolean => parse(error).kind === 'NotFound';

/** `PermissionDenied (persistent) at write, context: { …, response: Parts { status: 403, … } } => S3Error { code: "…" }` */
function parse(error: unknown): Refusal {
  const message = error instanceof Error ? error.message : String(error);
  const [, answer = ''] = message.split(' => ', 2);
  const status = /\bstatus: (\d{3})\b/.exec(message)?.[1];
  return {
    kind: /^\w+/.exec(message)?.[0] ?? 'Unexpected',
    status: status === undefined ? undefined : Number(status),
    storeCode: wordOf(answer),
    message,
  };
}

/** `code: "NoSuchBucket"` of S3 and Azure, `reason: "forbidden"` and at times XML of Google, which has no word for this one. */
function wordOf(answer: string): string | undefined {
  if (/\bThe specified bucket does not exist\b/.test(answer)) return 'NoSuchBucket';
  return /\bcode: "(\w+)"|\breason: "(\w+)"|<Code>(\w+)<\/Code>/i.exec(answer)?.slice(1).find(Boolean);
}
