import {
  ancestorsOf,
  type ComplianceClient,
  ComplianceError,
  ConfigError,
  ownKey,
  type ParentKey,
  parentKeys,
  type Stream,
  verdictOf,
} from '../../src/index.js';
import { type CommandContext, openClient } from './client.js';
import type { SourceSettings } from './config.js';
import { log } from './messages.js';

/** A parent may disappear between being listed and its own list being requested; this many are tried. */
const MAX_PARENTS = 3;

/**
 * Shows by as few requests as possible that a read would work, since each request is an entry in the customer's audit
 * log: one page of each default stream without a parent, and one record of one list of each default stream with one.
 * @throws ComplianceError: for which streams the key lacks a scope, or what else is wrong
 */
export async function check(
  settings: SourceSettings,
  { streams, ...context }: CommandContext & { streams: readonly Stream[] },
): Promise<void> {
  await using client = openClient(settings, context);
  const { output, signal } = context;
  const defaults = streams.filter(({ isDefault }) => isDefault);
  const needed = new Set(defaults.flatMap((stream) => [...ancestorsOf(stream), stream]));
  const pages = new Map<Stream, FirstPage>();
  const refused = new Map<Stream, ComplianceError>();
  for (const stream of needed) {
    const above = stream.parent?.stream;
    if (ancestorsOf(stream).some((ancestor) => refused.has(ancestor))) continue;
    try {
      const parents = above ? firstParents(stream, pages.get(above)) : [{}];
      const page = await firstPage(client, { stream, parents, signal });
      if (page) pages.set(stream, page);
      else {
        const what = `The key sees none of ${above?.name}, so it is not known whether it may read ${stream.name}.`;
        output.write(log('WARN', what));
      }
    } catch (error) {
      if (!(error instanceof ComplianceError) || !isRefusal(error)) throw error;
      refused.set(stream, error);
    }
  }
  if (refused.size > 0) throw notAllowed(refused);
}

/** The first page of one list. */
interface FirstPage {
  parent: ParentKey;
  records: readonly object[];
}

/** The keys of the first lists of a stream, from the first page of its parent. */
function firstParents(stream: Stream, page: FirstPage | undefined): ParentKey[] {
  const above = stream.parent?.stream;
  if (!above || !page) return [];
  const keys = page.records.slice(0, MAX_PARENTS).map((record) => ownKey(above, record));
  return parentKeys(stream, page.parent, keys);
}

/** The first page of the first list whose parent is not gone. @returns undefined when there is no list */
async function firstPage(
  client: ComplianceClient,
  { stream, parents, signal }: { stream: Stream; parents: readonly ParentKey[]; signal: AbortSignal },
): Promise<FirstPage | undefined> {
  const limit = stream.parent ? 1 : MAX_PARENTS;
  for (const [at, parent] of parents.entries()) {
    try {
      for await (const { records } of client.pages(stream, { parent, limit, signal })) {
        return { parent, records };
      }
    } catch (error) {
      if (verdictOf(error) !== 'gone' || at === parents.length - 1) throw error;
    }
  }
  return undefined;
}

/** The key is accepted, and may not read this. */
const isRefusal = ({ code }: ComplianceError): boolean =>
  code === 'missing_scope' || code === 'permission_denied';

function notAllowed(refused: ReadonlyMap<Stream, ComplianceError>): ConfigError {
  const streams = [...refused.keys()].map(({ name, scope }) => `${name} (scope ${scope})`).join(', ');
  const [cause] = refused.values();
  return new ConfigError(`The key may not read ${streams}. ${cause?.message}`, {
    code: 'missing_scope',
    cause,
  });
}
