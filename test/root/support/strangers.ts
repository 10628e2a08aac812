import { newRunId } from '../../../src/lake/paths.js';
import { RUN_DATE, TABLES } from './day.js';
import type { MemoryStorage } from './memory-storage.js';

const RUN = newRunId(0); // long ago: a file of ours with this run id would be removed

/** Keys in every folder of a root that none of our files has, however near their names come. */
export const STRANGERS: readonly string[] = [
  'README.md',
  `part-00000-${RUN}.ndjson`,
  `backup/users/run_date=${RUN_DATE}/part-00000-${RUN}.ndjson`,
  '_runs/README.md',
  `_runs/${RUN}.json`,
  '_runs/log/README.md',
  '_runs/log/1.json',
  '_runs/log/old/00000001.json',
  '_runs/leases/README.md',
  `_runs/leases/${RUN_DATE}.json.old`,
  `_runs/run_date=${RUN_DATE}/${RUN}.json.old`,
  `_runs/run_date=${RUN_DATE}/${RUN}.txt`,
  `_runs/run_date=${RUN_DATE}/old-${RUN}.json`,
  `_runs/run_date=${RUN_DATE}/old/${RUN}.json`,
  `_runs/run_date=${RUN_DATE}/manifest.json.old`,
  '_staging/notes.txt',
  `invoices/run_date=${RUN_DATE}/part-00000-${RUN}.ndjson`,
  ...TABLES.flatMap((table) => [
    `${table}/README.md`,
    `${table}/part-00000-${RUN}.ndjson`,
    `${table}/run_date=yesterday/part-00000-${RUN}.ndjson`,
    `${table}/run_date=2026-11-22/part-00000-${RUN}.ndjson`, // another day
    ...['', 'org_uuid=1/'].flatMap((folder) =>
      [
        'part-00000.ndjson',
        'part-00000-mine.ndjson',
        `part-00000-${RUN}`,
        `part-0-${RUN}.ndjson`,
        `copy-of-part-00000-${RUN}.ndjson`,
        `part-00000-${RUN.slice(0, -1)}.ndjson`,
        `part-00000-${RUN}0.ndjson`,
        `part-00000-${RUN.replace('T', ' ')}.ndjson`,
        '_SUCCESS',
      ].map((name) => `${table}/run_date=${RUN_DATE}/${folder}${name}`),
    ),
  ]),
];

export const plantStrangers = (storage: MemoryStorage): void => {
  for (const key of STRANGERS) storage.plant(key, `mine: ${key}`);
};

/** The strangers' files that are not as they were planted. */
export const harmedStrangers = (storage: MemoryStorage): string[] =>
  STRANGERS.filter((key) => storage.text(key) !== `mine: ${key}`);
