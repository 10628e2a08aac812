import { z } from 'zod';
import { ConfigError } from '../errors.js';
import { RUNS } from '../storage/own-folders.js';
import type { Storage } from '../storage/storage.js';
import { jsonBytes, parseJson, readText } from './json-file.js';

const KEY = `${RUNS}/dataset.json`;

const datasetSchema = z.strictObject({
  dataset: z.string(),
  format: z.string(),
  manifest_version: z.literal(2),
});

/** What a root holds: the streams of one dataset, in one format. */
export interface Dataset {
  dataset: string;
  format: string;
}

/**
 * Readers expect one format under a table's root, so a root that holds another one is refused.
 * @throws ConfigError `dataset_mismatch`, `root_of_other_version`
 */
export async function checkDataset(storage: Storage, { dataset, format }: Dataset): Promise<void> {
  const found = await readDataset(storage);
  if (!found || (found.format === format && found.dataset === dataset)) return;
  throw new ConfigError(
    `${storage.location} holds the dataset ${found.dataset} as ${found.format} files, not ${dataset} as ${format}. Choose another folder or the same format.`,
    { code: 'dataset_mismatch' },
  );
}

/**
 * What a root holds; undefined when it is empty.
 * @throws ConfigError `root_of_other_version`
 */
export async function readDataset(storage: Storage): Promise<Dataset | undefined> {
  const text = await readText(storage, KEY);
  if (text === undefined) return undefined;
  const found = datasetSchema.safeParse(parseJson(text)).data;
  if (found) return found;
  throw new ConfigError(
    `${storage.location} was written by another version of this connector, which this one cannot read. Choose another folder.`,
    { code: 'root_of_other_version' },
  );
}

/** Says, once, what a root holds. */
export async function claimDataset(storage: Storage, { dataset, format }: Dataset): Promise<void> {
  const described: z.infer<typeof datasetSchema> = { dataset, format, manifest_version: 2 };
  await storage.create(KEY, jsonBytes(described));
  await checkDataset(storage, described);
}
