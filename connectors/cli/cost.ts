import {
  type ComplianceClient,
  keyText,
  type Manifest,
  ownKey,
  type ParentKey,
  parentKeys,
  type Stream,
  scopedStream,
  streams,
  wavesOf,
} from '../../src/index.js';
import { count } from '../kit/counts.js';
import { pagesOf } from './commands/scoped-lists.js';

/** What it takes to read one stream. */
export interface Cost {
  stream: Stream;
  /** 0 when it is unknown. */
  requests: number;
  /** `about`: as in an earlier snapshot, and perhaps several pages a list. */
  certainty: 'exactly' | 'at least' | 'about' | 'unknown';
  why: string;
}

/** What is known of a stream before it is read. */
interface Known {
  /** The keys of its lists. */
  lists?: readonly ParentKey[];
  /** The keys of its records, where it was read. */
  records?: readonly string[];
}

export interface CostRequest {
  client: ComplianceClient;
  /** The names of the streams that are asked for. */
  asked: readonly string[];
  org: readonly string[] | undefined;
  /** The newest snapshot that holds a stream completely, if there is one. */
  newest(stream: Stream): Promise<Manifest | undefined>;
}

/** An organisation as it is listed; null is a name that is no text. */
interface ListedOrganization {
  uuid: string;
  name: string | null;
}

function ofOrganization(stream: Stream, record: object): ListedOrganization {
  const { name } = record as { name?: unknown };
  return { uuid: ownKey(stream, record), name: typeof name === 'string' ? name.toWellFormed() : null };
}

/**
 * What some streams cost, and those that they need. Nothing is requested but lists without a parent: the organisations, and
 * those that have lists below them which are asked for.
 */
export async function costsOf({ client, asked, org, newest }: CostRequest) {
  const needed = streams.filter((stream) => wavesOf(asked).flat().includes(stream));
  const known = new Map<Stream, Known>();
  const listed: ListedOrganization[] = [];
  let spent = 0;

  async function ofRoot(stream: Stream): Promise<Omit<Cost, 'stream'>> {
    const hasLists = needed.some(({ parent }) => parent?.stream === stream);
    if (stream !== scopedStream && !hasLists) return { requests: 1, certainty: 'at least', why: PAGES };
    const records: string[] = [];
    let pages = 0;
    for await (const page of pagesOf(client, stream, {}, org)) {
      records.push(...page.map((record) => ownKey(stream, record)));
      if (stream === scopedStream) listed.push(...page.map((record) => ofOrganization(stream, record)));
      pages += 1;
    }
    spent += pages;
    known.set(stream, { records });
    return { requests: pages, certainty: 'exactly', why: `just read: ${count(records.length)} are listed` };
  }

  async function ofLists(stream: Stream, above: Stream): Promise<Omit<Cost, 'stream'>> {
    const each = `one for each of the ${above.name}`;
    const { records, lists } = known.get(above) ?? {};
    if (records) {
      known.set(stream, { lists: parentKeys(stream, {}, records) });
      // A list that is one member of an answer has no pages.
      if (stream.list !== undefined) return { requests: records.length, certainty: 'exactly', why: each };
      return { requests: records.length, certainty: 'at least', why: `${each}, ${PAGES}` };
    }
    const manifest = lists && (await newest(above));
    if (!manifest) {
      return { requests: 0, certainty: 'unknown', why: `at least ${each}, whose number is not known` };
    }
    const wanted = new Set(lists.map(keyText));
    const slices = manifest.tables[above.name]?.slices.filter(({ parent }) => wanted.has(keyText(parent)));
    return {
      requests: slices?.reduce((sum, { rows }) => sum + rows, 0) ?? 0,
      certainty: 'about',
      why: `${each} in the snapshot of ${manifest.run_date}, ${PAGES}`,
    };
  }

  const costs: Cost[] = [];
  for (const stream of needed) {
    const { parent, through } = stream;
    if (through)
      costs.push({
        stream,
        requests: 1,
        certainty: 'at least',
        why: `through one of the ${through.stream.name}`,
      });
    else costs.push({ stream, ...(await (parent ? ofLists(stream, parent.stream) : ofRoot(stream))) });
  }
  return { costs, spent, listed };
}

const PAGES = 'more where a list has several pages';
