import { ConfigError } from '../errors.js';
import type { PseudonymScheme, Pseudonyms } from '../model/pseudonyms.js';
import type { Manifest } from './manifest.js';

/** A snapshot, and what is to stand for the names of people in it. */
export interface Pseudonymous {
  manifest: Manifest;
  /** Replaces what names a person while it is read, where the files do not have pseudonyms yet. */
  pseudonyms?: Pseudonyms | undefined;
}

/**
 * The pseudonyms in what is read from a snapshot: those of its files, and those that reading puts in.
 * @throws ConfigError `pseudonyms_differ`: its files have pseudonyms of another kind
 */
export function pseudonymsRead({
  manifest: { run_date, pseudonyms: written },
  pseudonyms,
}: Pseudonymous): PseudonymScheme | null {
  if (!pseudonyms) return written;
  const { scheme } = pseudonyms;
  if (!written) return scheme;
  if (written.key_id !== scheme.key_id || written.keep_domain !== scheme.keep_domain)
    throw new ConfigError(
      `The snapshot of ${run_date} has pseudonyms already, ${written.key_id === scheme.key_id ? `made ${written.keep_domain ? 'with' : 'without'} --keep-domain` : 'made with another key'}. Do the same here, or leave out --pseudonymize.`,
      { code: 'pseudonyms_differ' },
    );
  return { ...scheme, columns: [...new Set([...written.columns, ...scheme.columns])].sort() };
}
