import { createHash } from 'node:crypto';
import { StorageError } from '../errors.js';
import type { Storage } from '../storage/storage.js';

const encoder = new TextEncoder();

/** As manifests and the log name it: lower-case hexadecimal. */
export const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A small file's text; undefined when there is none. */
export async function readText(storage: Storage, key: string): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of storage.read(key)) chunks.push(chunk);
  } catch (error) {
    if (error instanceof StorageError && error.code === 'not_found') return undefined;
    throw error;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The value of a JSON text; undefined when it is none, as a file is that was cut. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** One JSON document as the bytes of a file. */
export const jsonBytes = (value: unknown, indent?: number): Uint8Array =>
  encoder.encode(`${JSON.stringify(value, null, indent)}\n`);
