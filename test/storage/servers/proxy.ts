import { createServer, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a request to a proxy looked like. */
export interface Seen {
  /** Milliseconds of a monotonic clock. */
  at: number;
  method: string;
  /** Path and query. */
  url: string;
  headers: IncomingHttpHeaders;
}

export interface ProxyOptions {
  /** The headers that are passed on. */
  change?: (headers: IncomingHttpHeaders) => IncomingHttpHeaders;
  /** Answered with 403 when true. */
  refuse?: (seen: Seen) => boolean;
  /** The connection is cut before the request is passed on, or after the server has answered and before its sender learns that. */
  cut?: (seen: Seen) => 'before' | 'after' | undefined;
}

export interface Proxy extends AsyncDisposable {
  endpoint: string;
  requests: Seen[];
}

/** A proxy before a server of a test: it records every request, and may refuse it or cut its connection. */
export async function startProxy(
  target: string,
  { change = (headers) => headers, refuse = () => false, cut = () => undefined }: ProxyOptions = {},
): Promise<Proxy> {
  const requests: Seen[] = [];
  const server = createServer((incoming: IncomingMessage, answer) => {
    const { method = '', url = '', headers } = incoming;
    const seen = { at: performance.now(), method, url, headers };
    requests.push(seen);
    if (refuse(seen)) {
      incoming.resume();
      answer.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>');
      return;
    }
    const cutting = cut(seen);
    if (cutting === 'before') {
      incoming.destroy();
      return;
    }
    const passed = request(new URL(url, target), { method, headers: change(headers) }, (from) => {
      if (cutting === 'after') {
        from.resume();
        incoming.socket.destroy(); // the request itself has ended by now: destroying that would leave its sender waiting
        return;
      }
      answer.writeHead(from.statusCode ?? 502, from.headers);
      from.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    incoming.pipe(passed);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
