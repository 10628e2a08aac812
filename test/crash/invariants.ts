import {
  type Contents,
  copyKeyOf,
  currentEntries,
  entriesOf,
  filesOf,
  isCommit,
  leaseKeyOf,
  manifestAt,
  manifestKeyOf,
  parseManifestKey,
  parsePart,
  sha256Of,
  wrongFiles,
} from './support/contents.js';
import { type Ids, idsOf } from './support/served.js';
import type { Step } from './support/steps.js';

/** A root at one moment. */
export interface Moment {
  contents: Contents;
  /** The rows that were ever served for each run date. */
  served: Readonly<Record<string, readonly Ids[]>>;
}

/** One operation of one process on a root. */
export interface Change {
  step: Step;
  /** Just before it. */
  contents: Contents;
  /** Every key that the root ever had. */
  used: ReadonlySet<string>;
  /** The keys that this process has put or created. */
  own: ReadonlySet<string>;
}

/** The requests that a process sent which resumed a staged run. */
export interface Resumption {
  /** The lists that were requested. */
  requested: readonly string[];
  /** The lists that were finished. */
  finished: readonly string[];
}

/** Each check returns what is wrong, as sentences. */
export interface Invariant {
  /** At any moment, whatever has died. */
  always?: (moment: Moment) => string[];
  /** When a run that worked on every day with something to repair has ended without an error. */
  settled?: (contents: Contents) => string[];
  /** Before each operation. */
  change?: (change: Change) => string[];
  resumed?: (resumption: Resumption) => string[];
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const isLogKey = (key: string): boolean => key.startsWith('_runs/log/');

const isCopyOrLease = (key: string): boolean =>
  /^_runs\/(?:run_date=[\d-]+\/manifest|leases\/\d{4}-\d\d-\d\d)\.json$/.test(key);

/** The runs that a log entry says have committed, and those that can never commit. */
function decidedRuns(contents: Contents): { committed: Set<string>; abandoned: Set<string> } {
  const entries = entriesOf(contents);
  return {
    committed: new Set(entries.filter(isCommit).map(({ run_id }) => run_id)),
    abandoned: new Set(
      entries.filter(({ action }) => action === 'abandon').map(({ replaces }) => String(replaces)),
    ),
  };
}

/** The data files that the current manifest of any day names. */
function referenced(contents: Contents): Set<string> {
  const manifests = [...currentEntries(contents).values()].map((entry) =>
    manifestAt(contents, manifestKeyOf(entry)),
  );
  return new Set(
    manifests.flatMap((manifest) => (manifest ? filesOf(manifest).map(({ path }) => path) : [])),
  );
}

/** What a day has besides its current snapshot: files that it does not name, manifests that the log does not name. */
function leftovers(contents: Contents): { key: string; runDate: string }[] {
  const named = referenced(contents);
  const { committed } = decidedRuns(contents);
  return [...contents.keys()].flatMap((key) => {
    const part = parsePart(key);
    if (part) return named.has(key) ? [] : [part];
    const manifest = parseManifestKey(key);
    return manifest && !committed.has(manifest.runId) ? [{ key, ...manifest }] : [];
  });
}

/** The list in docs/architecture.md, by the same names. */
export const invariants: Readonly<Record<string, Invariant>> = {
  'one snapshot': {
    always({ contents, served }) {
      return [...currentEntries(contents)].flatMap(([runDate, entry]) => {
        const manifest = manifestAt(contents, manifestKeyOf(entry));
        if (!manifest || manifest.status === 'pruned') return [];
        const found = idsOf(contents, manifest);
        const isServed = served[runDate]?.some((ids) => same(ids, found)) ?? false;
        return isServed ? [] : [`the rows of ${runDate} by the log were never served so`];
      });
    },
  },
  'named files exist': {
    always: ({ contents }) =>
      [...currentEntries(contents).values()].flatMap((entry) => {
        const manifest = manifestAt(contents, manifestKeyOf(entry));
        return manifest ? wrongFiles(contents, manifest) : [];
      }),
  },
  'a true copy': {
    always: ({ contents, served }) =>
      [...contents.keys()].flatMap((key) => {
        const runDate = /^_runs\/run_date=([\d-]+)\/manifest\.json$/.exec(key)?.[1];
        const manifest = runDate === undefined ? undefined : manifestAt(contents, key);
        if (runDate === undefined || !manifest) return [];
        const sha256 = sha256Of(contents.get(key) as Buffer);
        if (
          !entriesOf(contents).some((entry) => entry.run_date === runDate && entry.manifest_sha256 === sha256)
        )
          return [`the copy of ${runDate} was never committed`];
        const found = idsOf(contents, manifest);
        const isServed =
          manifest.status === 'pruned' || (served[runDate]?.some((ids) => same(ids, found)) ?? false);
        return [
          ...wrongFiles(contents, manifest).map((wrong) => `by the copy of ${runDate}: ${wrong}`),
          ...(isServed ? [] : [`the rows of ${runDate} by its copy were never served so`]),
        ];
      }),
    settled: (contents) =>
      [...currentEntries(contents)].flatMap(([runDate, { manifest_sha256 }]) => {
        const copy = contents.get(copyKeyOf(runDate));
        return copy && sha256Of(copy) === manifest_sha256
          ? []
          : [`the copy of ${runDate} is not the current manifest`];
      }),
  },
  'files before the commit': {
    change({ step: { operation, key, bytes }, contents }) {
      // When another run has the number by now, nothing is created.
      if (operation !== 'create' || !isLogKey(key) || contents.has(key)) return [];
      const entry = JSON.parse(String(bytes));
      if (entry.manifest_sha256 === null) return [];
      const manifestKey = manifestKeyOf(entry);
      const manifest = manifestAt(contents, manifestKey);
      if (!manifest) return [`${manifestKey} is not there when ${key} is created`];
      const isNamed = sha256Of(contents.get(manifestKey) as Buffer) === entry.manifest_sha256;
      return [
        ...(isNamed ? [] : [`${manifestKey} has other bytes than ${key} says`]),
        ...wrongFiles(contents, manifest),
      ];
    },
  },
  'the log only grows': {
    always: ({ contents }) =>
      entriesOf(contents).flatMap(({ key, seq, previous_sha256 }, index, entries) => {
        const before = entries[index - 1];
        const isLinked = previous_sha256 === (before ? sha256Of(before.text) : null);
        return isLinked && seq === index + 1 && Number(key.slice(-13, -5)) === seq
          ? []
          : [`${key} breaks the chain`];
      }),
    change: ({ step: { operation, key } }) =>
      isLogKey(key) && operation !== 'create' ? [`${operation} of ${key}`] : [],
  },
  'one winner': {
    always({ contents }) {
      const current = new Map<string, string>();
      return entriesOf(contents)
        .filter(isCommit)
        .flatMap((entry) => {
          const before = current.get(entry.run_date) ?? null;
          current.set(entry.run_date, entry.run_id);
          const { replaces } = manifestAt(contents, manifestKeyOf(entry)) ?? {};
          return entry.replaces === before && replaces?.run_id === (before ?? undefined)
            ? []
            : [`${entry.key} was prepared for another snapshot than it replaces`];
        });
    },
  },
  'abandoned for good': {
    always({ contents }) {
      const abandoned = new Set<string | null>();
      return entriesOf(contents).flatMap((entry) => {
        const wrong = isCommit(entry) && abandoned.has(`${entry.run_date} ${entry.run_id}`);
        if (entry.action === 'abandon') abandoned.add(`${entry.run_date} ${entry.replaces}`);
        return wrong ? [`${entry.key} commits a run that was abandoned`] : [];
      });
    },
  },
  'pruned for good': {
    always({ contents }) {
      const pruned = new Set<string>();
      return entriesOf(contents).flatMap((entry) => {
        const wrong = isCommit(entry) && pruned.has(entry.run_date);
        if (entry.action === 'prune') pruned.add(entry.run_date);
        return wrong ? [`${entry.key} publishes at a run date that was pruned`] : [];
      });
    },
  },
  'names are used once': {
    change: ({ step: { operation, key }, used, contents }) =>
      (operation === 'put' || (operation === 'create' && !isCopyOrLease(key))) &&
      used.has(key) &&
      !contents.has(key)
        ? [`${key} is used again`]
        : operation === 'put' && contents.has(key)
          ? [`${key} is overwritten`]
          : [],
  },
  'only copies are overwritten': {
    change: ({ step: { operation, key } }) =>
      operation === 'write' && !isCopyOrLease(key) ? [`${key} is overwritten`] : [],
  },
  'manifests are kept': {
    always: ({ contents }) =>
      entriesOf(contents)
        .filter(isCommit)
        .flatMap((entry) => {
          const manifest = contents.get(manifestKeyOf(entry));
          return manifest && sha256Of(manifest) === entry.manifest_sha256
            ? []
            : [`${manifestKeyOf(entry)} is not what ${entry.key} names`];
        }),
    change({ step: { operation, key }, contents }) {
      const run = parseManifestKey(key)?.runId;
      const isKept = run !== undefined && decidedRuns(contents).committed.has(run);
      return isKept && operation !== 'create' ? [`${operation} of ${key}`] : [];
    },
  },
  'removed only when decided': {
    change({ step: { operation, key }, contents, own }) {
      const run = parsePart(key)?.runId ?? parseManifestKey(key)?.runId;
      if (operation !== 'remove' || run === undefined) return [];
      if (referenced(contents).has(key)) return [`${key} is removed, which the current manifest names`];
      const { committed, abandoned } = decidedRuns(contents);
      const isDecided = committed.has(run) || abandoned.has(run) || own.has(key);
      return isDecided ? [] : [`${key} is removed, and its run may still commit`];
    },
  },
  'only our own names are removed': {
    change({ step: { operation, key } }) {
      const isOurs =
        parsePart(key) || parseManifestKey(key) || /^_runs\/leases\/\d{4}-\d\d-\d\d\.json$/.test(key);
      return operation !== 'remove' || isOurs ? [] : [`${key} is removed`];
    },
  },
  'leftovers have a lease': {
    always: ({ contents }) =>
      leftovers(contents).flatMap(({ key, runDate }) =>
        contents.has(leaseKeyOf(runDate)) ? [] : [`${key} is left over, and no lease says so`],
      ),
  },
  'whoever comes next repairs': {
    settled: (contents) => [
      ...leftovers(contents).map(({ key }) => `${key} is left over`),
      ...[...contents.keys()]
        .filter((key) => key.startsWith('_runs/leases/'))
        .map((key) => `${key} was not released`),
    ],
  },
  'read once': {
    resumed: ({ requested, finished }) =>
      finished.filter((list) => requested.includes(list)).map((list) => `${list} was requested again`),
  },
};

type Check = keyof Invariant;

/** What is wrong by every invariant that has such a check; each sentence begins with its name. */
export function violations<C extends Check>(
  check: C,
  subject: Parameters<NonNullable<Invariant[C]>>[0],
  except: readonly string[] = [],
): string[] {
  return Object.entries(invariants)
    .filter(([name]) => !except.includes(name))
    .flatMap(([name, invariant]) => {
      const apply = invariant[check] as ((subject: unknown) => string[]) | undefined;
      return (apply?.(subject) ?? []).map((wrong) => `${name}: ${wrong}`);
    });
}
