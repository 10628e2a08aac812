import {
  aboveOf,
  type ComplianceClient,
  type ComplianceError,
  ownKey,
  type ParentKey,
  type Stream,
  scopedStream,
  verdictOf,
} from '../../src/index.js';
import { count } from './counts.js';

/** What was read of one list. */
interface Sample {
  readonly parent: ParentKey;
  readonly records: readonly object[];
}

/** What a few requests show about a stream. `off`: so many lists were answered with 404 by a stream that may be off. */
export type Finding =
  | { verdict: 'readable'; sample: Sample; off: number }
  | { verdict: 'off'; off: number; of: number }
  | { verdict: 'refused'; code: string; what: string }
  | { verdict: 'unknown' };

/** Lists that are tried where one may be off, or its parent gone meanwhile: each costs a request. */
const MAX_TRIED = 3;

/** What errors say about one stream, by their codes; others are about the connection, or the key as such. */
const REFUSALS: Record<string, (stream: Stream) => string> = {
  missing_scope: ({ scope }) => `the key lacks the scope ${scope}`,
  permission_denied: () => 'the API refused the list that was tried (403), and named no scope',
  not_found: () => 'the API does not know this list (404)',
};

/**
 * Finds out which streams may be read, by as few requests as possible. They are to be given parents before children. Streams
 * that are served in one answer share it.
 * @throws ComplianceError when the error is about no single stream
 */
export function createProbe(client: ComplianceClient, { signal }: { signal?: AbortSignal } = {}) {
  const samples = new Map<Stream, Sample>();
  const byPath = new Map<string, Finding>();

  /** The lists to try; none: no record above is known. */
  function listsToTry(stream: Stream) {
    const above = aboveOf(stream);
    if (!above) return { tried: [{}], of: 1 };
    const { parent: key = {}, records = [] } = samples.get(above.stream) ?? {};
    const tried = records.slice(0, MAX_TRIED);
    const keys = tried.map((record) => ({ ...key, [above.column]: ownKey(above.stream, record) }));
    return { tried: keys, of: records.length };
  }

  async function probe(stream: Stream): Promise<Finding> {
    const { tried, of } = listsToTry(stream);
    let off = 0;
    for (const [at, parent] of tried.entries()) {
      try {
        const sample = { parent, records: await firstRecords(client, { stream, parent, signal }) };
        samples.set(stream, sample);
        return { verdict: 'readable', sample, off };
      } catch (error) {
        const { code = '' } = error as Partial<ComplianceError>;
        const verdict = verdictOf(error);
        // Where nothing was read before, an address that is not known is that of the whole API.
        const refusal = code === 'not_found' && samples.size === 0 ? undefined : REFUSALS[code];
        if (verdict === 'unavailable') off += 1;
        else if (refusal) return { verdict: 'refused', code, what: refusal(stream) };
        else if (verdict !== 'gone' || at === tried.length - 1) throw error;
      }
    }
    return off === 0 ? { verdict: 'unknown' } : { verdict: 'off', off, of };
  }

  return async (stream: Stream): Promise<Finding> => {
    const finding = byPath.get(stream.path) ?? (await probe(stream));
    byPath.set(stream.path, finding);
    return finding;
  };
}

/** How many organisations there are is worth knowing; of other lists, the first page that is not empty is enough. */
async function firstRecords(
  client: ComplianceClient,
  { stream, parent, signal }: { stream: Stream; parent: ParentKey; signal: AbortSignal | undefined },
): Promise<object[]> {
  const isCounted = stream === scopedStream;
  const found: object[] = [];
  const limit = isCounted ? undefined : MAX_TRIED;
  for await (const { records } of client.pages(stream, { parent, limit, signal })) {
    found.push(...records);
    if (!isCounted && found.length > 0) break;
  }
  return found;
}

/** A finding as one line. */
export const findingLine = (stream: Stream, finding: Finding): string =>
  `${stream.name}: ${whatOf(stream, finding)}`;

function whatOf(stream: Stream, finding: Finding): string {
  const above = aboveOf(stream)?.stream.name;
  switch (finding.verdict) {
    case 'unknown':
      return `not checked, because no record of ${above} was read`;
    case 'refused':
      return finding.what;
    case 'off': {
      const { off, of } = finding;
      const seems = off < of ? ', it seems' : '';
      return `not enabled for this parent organisation${seems} (tried for ${off} of ${count(of)} ${above}: 404)`;
    }
    case 'readable': {
      const { off, sample } = finding;
      if (stream === scopedStream) return `ok, the key sees ${count(sample.records.length)}`;
      return off === 0
        ? 'ok'
        : `ok, but not for all ${above} (tried for ${off + 1}, and ${off} of them: 404)`;
    }
  }
}
