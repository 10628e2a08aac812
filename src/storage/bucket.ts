import { createHash, randomUUID } from 'node:crypto';
import type { Operator } from 'opendal';
import { forEachConcurrently } from '../concurrency.js';
import { ConfigError, StorageError } from '../errors.js';
import { bucketError, isConditionNotMet, isNotFound } from './bucket-error.js';
import { finishedBytes } from './finished-file.js';
import type { FinishedFile, Storage, StoredObject, Written } from './storage.js';

/** A larger object is uploaded in parts of this size and read as a stream. In bytes. */
const CHUNK = 8 * 1024 * 1024;
/** Files uploaded at once; with CHUNK it bounds the memory. */
const OBJECTS_IN_FLIGHT = 8;
/** How long one request may take, in milliseconds. */
const REQUEST_LIMIT = 60_000;
const PROBE = '_runs/probe.json';

/** What a bucket is opened with. */
export interface BucketOptions {
  /** opendal's name of the service: `s3`, `gcs`, `azblob`. */
  service: string;
  /** opendal's options of that service, the bucket and the root among them. */
  options: Readonly<Record<string, string>>;
  /** `s3://bucket/prefix` */
  location: string;
  /** How credentials of this store are found, as one sentence of advice. */
  credentials: string;
  /** Further tries of a request that failed for the moment. */
  retries?: number;
}

type Opendal = typeof import('opendal');

/**
 * A bucket of an object store, below a prefix.
 * @throws ConfigError `opendal_missing`, `storage_options_invalid`
 */
export async function openBucket(
  { service, options, location, credentials, retries = 4 }: BucketOptions,
  load: () => Promise<Opendal> = () => import('opendal'),
): Promise<Storage> {
  const { Operator, RetryLayer, TimeoutLayer } = await load().catch((cause) => {
    throw new ConfigError(
      `${location} needs the optional package opendal, which is missing or does not load on this machine: npm install opendal@0.49.2`,
      { code: 'opendal_missing', cause },
    );
  });
  const timeout = new TimeoutLayer();
  timeout.timeout = REQUEST_LIMIT;
  timeout.ioTimeout = REQUEST_LIMIT;
  const retry = new RetryLayer();
  retry.maxTimes = retries;
  retry.minDelay = 200;
  retry.jitter = true;
  try {
    // A retry around each timeout, never the other way round: that would break the writers.
    const operator = new Operator(service, options).layer(timeout.build()).layer(retry.build());
    return new Bucket(operator, { location, credentials, endpoint: options.endpoint });
  } catch (cause) {
    throw optionsError(location, cause);
  }
}

interface BucketDetails {
  location: string;
  credentials: string;
  endpoint: string | undefined;
}

/**
 * Objects appear complete or not at all, because a store shows an upload only when it is finished. An interrupted one
 * leaves at most parts of an unfinished multipart upload: nobody sees them, and a lifecycle rule
 * (AbortIncompleteMultipartUpload) removes them.
 */
class Bucket implements Storage {
  readonly location: string;
  readonly #operator: Operator;
  readonly #credentials: string;
  readonly #endpoint: string | undefined;

  constructor(operator: Operator, { location, credentials, endpoint }: BucketDetails) {
    this.#operator = operator;
    this.location = location;
    this.#credentials = credentials;
    this.#endpoint = endpoint === undefined ? undefined : new URL(endpoint).origin;
  }

  /** Tied to one version: an object that is replaced meanwhile is read again, or is an error, but never a mix. */
  async *read(key: string): AsyncGenerator<Uint8Array> {
    for (let rereads = 3; ; rereads--) {
      const { contentLength, etag } = await this.#doing('reading', key, () => this.#operator.stat(key));
      const version = etag === null ? {} : { ifMatch: etag };
      if (Number(contentLength) > CHUNK) return yield* this.#readInParts(key, version);
      const bytes = await this.#doing('reading', key, () =>
        this.#operator.read(key, version).catch((error) => {
          if (rereads > 0 && isConditionNotMet(error)) return undefined;
          throw error;
        }),
      );
      if (bytes) return yield bytes;
    }
  }

  async *#readInParts(key: string, version: { ifMatch?: string }): AsyncGenerator<Uint8Array> {
    const reader = await this.#doing('reading', key, () =>
      this.#operator.reader(key, { chunk: CHUNK, ...version }),
    );
    while (true) {
      const part = Buffer.allocUnsafe(1024 * 1024);
      const bytes = Number(await this.#doing('reading', key, () => reader.read(part)));
      if (bytes === 0) return;
      yield part.subarray(0, bytes);
    }
  }

  async *list(folder: string): AsyncGenerator<StoredObject> {
    const prefix = folder === '' ? '' : `${folder}/`;
    const lister = await this.#doing('listing', folder, () =>
      this.#operator.lister(prefix, { recursive: true }),
    );
    while (true) {
      const entry = await this.#doing('listing', folder, () => lister.next());
      if (entry === null) return;
      const metadata = entry.metadata();
      if (!metadata.isDirectory()) yield { key: entry.path(), bytes: Number(metadata.contentLength) };
    }
  }

  /** Part after part: opendal's `concurrent` would keep every part in memory until the last. */
  async write(key: string, bytes: AsyncIterable<Uint8Array>): Promise<Written> {
    const hash = createHash('sha256');
    let size = 0;
    const writer = await this.#doing('writing', key, () =>
      this.#operator.writer(key, { chunk: BigInt(CHUNK) }),
    );
    for await (const chunk of bytes) {
      if (chunk.byteLength === 0) continue;
      hash.update(chunk);
      size += chunk.byteLength;
      await this.#doing('writing', key, () => writer.write(asBuffer(chunk)));
    }
    await this.#doing('writing', key, () => writer.close());
    return { bytes: size, sha256: hash.digest('hex') };
  }

  /**
   * Each attempt leaves its mark in the object's metadata. When an answer was lost and the request was sent again,
   * the store says that the object exists; the mark shows whether it is ours.
   */
  async create(key: string, bytes: Uint8Array): Promise<boolean> {
    const mark = randomUUID();
    return await this.#doing('creating', key, async () => {
      try {
        await this.#operator.write(key, asBuffer(bytes), {
          ifNotExists: true,
          userMetadata: { creation: mark },
        });
        return true;
      } catch (error) {
        if (!isConditionNotMet(error)) throw error;
        const found = await this.#operator.stat(key).catch((absent) => {
          throw isNotFound(absent) ? error : absent; // two at once, and the store let neither win
        });
        return found.userMetadata?.creation === mark;
      }
    });
  }

  /** An upload whose bytes differ is not finished, so its object never appears. */
  async put(files: readonly FinishedFile[], signal?: AbortSignal): Promise<void> {
    await forEachConcurrently(files, { limit: OBJECTS_IN_FLIGHT, signal }, async (file, either) => {
      await this.write(file.key, finishedBytes(file, either));
    });
  }

  async remove(key: string): Promise<void> {
    await this.#doing('removing', key, () => this.#operator.delete(key));
  }

  /** The object is kept: a crash here leaves nothing else behind, and later runs send one request. */
  async probe(): Promise<void> {
    const bytes = new TextEncoder().encode('{"purpose":"shows whether create-if-absent is honoured"}\n');
    if (!(await this.create(PROBE, bytes))) return;
    if (!(await this.create(PROBE, bytes))) return;
    throw new ConfigError(
      `The store of ${this.location} ignores create-if-absent, on which every commit depends: two runs at once could both publish. Choose another store.`,
      { code: 'create_if_absent_ignored' },
    );
  }

  async #doing<T>(verb: string, key: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (error instanceof StorageError) throw error;
      const what = key === '' ? this.location : `${this.location}/${key}`;
      throw bucketError({ verb, what, credentials: this.#credentials, endpoint: this.#endpoint }, error);
    }
  }
}

/** The same memory, not a copy. */
const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function optionsError(location: string, cause: unknown): ConfigError {
  const message = cause instanceof Error ? cause.message : '';
  const missing = /\b(region|endpoint) is (?:missing|empty)/.exec(message)?.[1];
  const invalid = /parse config '(\w+)'/.exec(message)?.[1];
  const advice =
    (missing && `the option ${missing} is missing`) ??
    (invalid && `the value of the option ${invalid} is not valid`) ??
    'check the bucket and the options';
  return new ConfigError(`${location} cannot be opened: ${advice}.`, { code: 'storage_options_invalid' });
}
