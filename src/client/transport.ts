import { rootCertificates } from 'node:tls';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Dispatcher } from 'undici';
import api from 'undici/lib/api/index.js';
import BaseDispatcher from 'undici/lib/dispatcher/dispatcher.js';
import EnvHttpProxyAgent from 'undici/lib/dispatcher/env-http-proxy-agent.js';
import { ProtocolError } from '../errors.js';
import { type ProxySettings, proxyAddresses } from './proxy-address.js';

export type { Dispatcher };

/** As undici's index does: its agents call these on each other. */
Object.assign(BaseDispatcher.prototype, api);

/** How the transport reaches the network. */
export interface TransportOptions {
  /** An undici dispatcher of the caller's own, which the caller closes; `proxy` and `ca` then have no effect. */
  dispatcher?: Dispatcher | undefined;
  proxy?: ProxySettings | undefined;
  /** PEM certificates that are trusted besides Node's own. */
  ca?: string | undefined;
}

/** One answer, its body not read yet. Read it to the end or call `discard`, or the connection is lost. */
export interface Answer {
  readonly status: number;
  /** The first value of each header, names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The body, decompressed as it is read: what is not read is not decompressed. */
  body(): AsyncIterable<Uint8Array>;
  /** Discards the rest of the body, and closes its connection. */
  discard(): void;
}

/** The one place that knows the HTTP library. It follows no redirect and retries nothing. */
export interface Transport {
  get(request: { url: URL; headers: Record<string, string>; signal: AbortSignal }): Promise<Answer>;
  close(): Promise<void>;
}

const DECODERS = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
} as const;

/** What the transport can decode, for `accept-encoding`. */
export const ACCEPT_ENCODING = 'gzip, deflate, br';

/** Opens a transport; the caller closes it. @throws ConfigError `proxy_invalid` */
export function openTransport({ dispatcher, proxy = {}, ca }: TransportOptions): Transport {
  const agent = dispatcher ?? openAgent(proxy, ca);
  return {
    async get({ url, headers, signal }) {
      const {
        statusCode,
        headers: served,
        body,
      } = await agent.request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: 'GET',
        headers,
        signal,
        // The attempt's own signal ends every phase.
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      body.on('error', () => undefined); // nobody waits for an abort after the last read
      const flat = firstValues(served);
      return {
        status: statusCode,
        headers: flat,
        body: () => decoded(body, flat['content-encoding']),
        discard: () => body.destroy(),
      };
    },
    async close() {
      if (!dispatcher) await agent.destroy();
    },
  };
}

interface Post {
  url: URL;
  /** JSON. */
  body: string;
  proxy: ProxySettings;
  signal: AbortSignal;
}

/** One POST to an address that is not the API's, through the same proxies; no redirect is followed. @returns the status */
export async function postJson({ url, body, proxy, signal }: Post): Promise<number> {
  const agent = openAgent(proxy);
  try {
    const { statusCode, body: answer } = await agent.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal,
    });
    answer.on('error', () => undefined); // nobody reads it
    answer.destroy();
    return statusCode;
  } finally {
    await agent.destroy();
  }
}

/** `''` where a proxy is not set: left out, undici would read the environment by itself. */
function openAgent(proxy: ProxySettings, ca?: string): Dispatcher {
  const trust = ca === undefined ? {} : { ca: [...rootCertificates, ca] };
  return new EnvHttpProxyAgent({
    ...proxyAddresses(proxy),
    allowH2: false,
    connect: trust,
    requestTls: trust,
    proxyTls: trust,
  });
}

function firstValues(
  headers: Record<string, string | string[] | undefined>,
): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  );
}

type Body = Dispatcher.ResponseData['body'];

function decoded(body: Body, encoding: string | undefined): AsyncIterable<Uint8Array> {
  const name = encoding?.trim().toLowerCase() ?? 'identity';
  if (name === 'identity' || name === '') return body;
  const decoder = Object.hasOwn(DECODERS, name) ? DECODERS[name as keyof typeof DECODERS] : undefined;
  if (!decoder) {
    throw new ProtocolError('is compressed in a way that was not asked for', {
      code: 'unknown_encoding',
    });
  }
  return inflated(body, decoder());
}

/** `pipe` bounds what is between the two; the errors and the end of each reach the other here. */
async function* inflated(body: Body, decoder: ReturnType<(typeof DECODERS)['gzip']>) {
  body.on('error', (error) => decoder.destroy(error));
  try {
    yield* body.pipe(decoder) as AsyncIterable<Uint8Array>;
  } finally {
    body.destroy();
    decoder.destroy();
  }
}
