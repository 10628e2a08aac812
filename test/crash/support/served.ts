import { type FixtureApi, startFixtureApi } from '../../../fixtures/api/index.js';
import { ancestorsOf, ComplianceClient, type Stream, streams } from '../../../src/index.js';
import { type Contents, filesOf, type ReadManifest } from './contents.js';

/** The rows of each table, by their keys, sorted: enough to see a row that is missing, doubled or of another snapshot. */
export type Ids = Readonly<Record<string, readonly string[]>>;

/** One state of the directory, and a client that reads it. */
export interface Served extends AsyncDisposable {
  api: FixtureApi;
  client: ComplianceClient;
  ids: Ids;
}

/** The streams that a dump reads here. */
export const STREAMS = streams.filter(({ isDefault }) => isDefault);

/** Few rows, and yet several pages and parts. */
export const ROWS_PER_FILE = 10;

/** @param sizes the users of each organisation */
export async function serve(sizes: readonly number[]): Promise<Served> {
  const api = await startFixtureApi({ sizes });
  const client = new ComplianceClient(clientOptions(api));
  return {
    api,
    client,
    ids: servedIds(api),
    async [Symbol.asyncDispose]() {
      await client.close();
      await api.close();
    },
  };
}

export const clientOptions = (api: FixtureApi) => ({
  apiKey: api.key,
  baseUrl: api.url,
  requestsPerMinute: 0,
  pageSize: ROWS_PER_FILE,
  maxRetries: 0,
});

/** What the fixture serves, asked for without a client. */
function servedIds(api: FixtureApi): Ids {
  const parentsOf = (stream: Stream): string[][] =>
    ancestorsOf(stream).length === 0 ? [[]] : api.organizations().map(({ uuid }) => [String(uuid)]);
  return Object.fromEntries(
    STREAMS.map((stream) => [
      stream.name,
      parentsOf(stream)
        .flatMap((parents) =>
          [...api.records(stream.name, ...parents)].map((record) =>
            [...parents, ...stream.key.map((name) => record[name])].join(' '),
          ),
        )
        .sort(),
    ]),
  );
}

/** The rows that the files of a manifest hold. */
export function idsOf(contents: Contents, manifest: ReadManifest): Ids {
  const files = filesOf(manifest);
  return Object.fromEntries(
    Object.keys(manifest.tables).map((table) => {
      const { primaryKey = [] } = streams.find(({ name }) => name === table)?.schema ?? {};
      const lines = files
        .filter((file) => file.table === table)
        .flatMap(({ path }) =>
          String(contents.get(path) ?? '')
            .split('\n')
            .filter(Boolean),
        );
      return [table, lines.map((line) => primaryKey.map((name) => JSON.parse(line)[name]).join(' ')).sort()];
    }),
  );
}
