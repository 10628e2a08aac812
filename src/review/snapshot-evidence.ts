import { currentOf, type Log } from '../lake/log.js';
import { type Manifest, manifestFiles } from '../lake/manifest.js';
import type { ListEvidence, SnapshotEvidence } from './evidence.js';

/** What evidence says of a snapshot. @param log of its root */
export function snapshotEvidence(manifest: Manifest, log: Log): SnapshotEvidence {
  const { configuration, connector } = manifest;
  const entry = currentOf(log, manifest.run_date);
  return {
    run_date: manifest.run_date,
    run_id: manifest.run_id,
    status: manifest.status,
    started_at: manifest.started_at,
    extracted_at: manifest.extracted_at,
    read_by: connector,
    anthropic_version: textIn(configuration, 'anthropic_version'),
    base_url: textIn(configuration, 'base_url'),
    format: manifest.format,
    scope: manifest.scope,
    manifest_sha256: entry?.manifest_sha256 ?? '',
    log_entry: entry?.seq ?? 0,
    files: manifestFiles(manifest).map(({ path, rows, bytes, sha256 }) => ({ path, rows, bytes, sha256 })),
  };
}

const textIn = (configuration: Manifest['configuration'], name: string): string | null => {
  const value = configuration[name];
  return typeof value === 'string' ? value : null;
};

/** Every list that was requested, and how. */
export const listEvidence = ({ tables }: Manifest): ListEvidence[] =>
  Object.entries(tables).flatMap(([stream, { slices }]) =>
    slices.map(({ files: _files, duplicates: _duplicates, surrogates_repaired: _repaired, ...walk }) => ({
      stream,
      ...walk,
    })),
  );
