import { createServer } from 'node:http';
import { streams } from '../../../src/index.js';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonRecord = { [name: string]: Json };

/** What the API serves on one day: the records of each list, by the name of its stream and the keys of its parents, `users/<uuid>`. */
export interface Day {
  lists: Record<string, JsonRecord[]>;
  /** Lists that answer 503. */
  failing: string[];
  /** The organisations that the snapshot of the day asks for; without it all. */
  asked?: string[];
  /** The streams that it asks for; without it all. */
  streams?: string[];
}

export const KEY = 'sk-ant-api01-made-up';

/** An API that serves whatever directory it is given, one list a page. */
export async function startMadeUpApi() {
  let day: Day = { lists: {}, failing: [] };
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] as string;
    const members: JsonRecord = {};
    let status = 404;
    for (const stream of streams) {
      const pattern = new RegExp(`^${stream.path.replaceAll(/\{\w+\}/g, '([^/]+)')}$`);
      const [, ...keys] = pattern.exec(path) ?? [];
      if (!pattern.test(path)) continue;
      const list = [stream.name, ...(stream.parent ? keys : [])].join('/');
      const records = day.lists[list];
      if (day.failing.includes(list)) status = 503;
      else if (records && status !== 503) {
        status = 200;
        members[stream.list ?? 'data'] = records;
      }
    }
    const body =
      status === 200 ? { ...members, has_more: false } : { error: { type: 'error', message: 'no' } };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    key: KEY,
    serve(next: Day): void {
      day = next;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
export type MadeUpApi = Awaited<ReturnType<typeof startMadeUpApi>>;
