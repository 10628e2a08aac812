import { z } from 'zod';
import { ConfigError } from '../errors.js';
import { SCHEMA_VERSION } from '../schema.js';
import type { Storage } from '../storage/storage.js';
import { jsonBytes, parseJson, readText } from './json-file.js';

const KEY = '_runs/dataset.json';

const datasetSchema = z.object({
  format: z.string(),
  schema_version: z.int(),
});

/**
 * Readers expect one format under a table's root, so a root that holds another one is refused.
 * @throws ConfigError `dataset_mismatch`
 */
export async function checkDataset(storage: Storage, format: string): Promise<void> {
  const text = await readText(storage, KEY);
  if (text === undefined) return;
  const found = datasetSchema.safeParse(parseJson(text)).data;
  if (found?.format === format && found.schema_version === SCHEMA_VERSION) return;
  throw new ConfigError(
    `${storage.location} holds ${found ? `${found.format} files (schema version ${found.schema_version})` : 'another dataset'}, not ${format} (schema version ${SCHEMA_VERSION}). Choose another folder or the same format.`,
    { code: 'dataset_mismatch' },
  );
}

/** Says, once, what a root holds. */
export async function claimDataset(storage: Storage, format: string): Promise<void> {
  await storage.create(KEY, jsonBytes({ format, schema_version: SCHEMA_VERSION }));
  await checkDataset(storage, format);
}
