import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
}

/** An answer, or the connection cut without one; or one that is cut after its body, whatever length was promised. */
export type Answer =
  | { status: number; headers?: Record<string, string>; body?: string; cut?: boolean }
  | 'hang up';

export interface AnsweringServer extends AsyncDisposable {
  endpoint: string;
  asked: Asked[];
}

/** A store that answers as a test wants; the n-th request is 0, 1, 2, … */
export async function startAnswering(
  answer: (asked: Asked, nth: number) => Answer | Promise<Answer>,
): Promise<AnsweringServer> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    asked.push({ method, url, headers });
    const answered = answer({ method, url, headers }, asked.length - 1);
    request.resume().once('end', async () => {
      const given = await answered;
      if (given === 'hang up') return void response.destroy();
      response.writeHead(given.status, given.headers);
      if (given.cut) return void response.write(given.body ?? '', () => response.destroy());
      response.end(method === 'HEAD' ? undefined : given.body);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
