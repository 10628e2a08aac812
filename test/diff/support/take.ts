import {
  ComplianceClient,
  createSink,
  type Manifest,
  type SnapshotOptions,
  type Storage,
  snapshot,
  streams,
} from '../../../src/index.js';
import type { Day, MadeUpApi } from './made-up-api.js';

/** Takes the snapshot of a made-up day, whatever could be read of it; as NDJSON, unless the options say otherwise. */
export async function take(
  api: MadeUpApi,
  storage: Storage,
  day: Day,
  options: Partial<SnapshotOptions> = {},
): Promise<Manifest> {
  api.serve(day);
  await using client = new ComplianceClient({
    apiKey: api.key,
    baseUrl: api.url,
    requestsPerMinute: 0,
    maxRetries: 0,
  });
  const [manifest] = await snapshot({
    client,
    storage,
    sink: createSink('ndjson'),
    streams: day.streams ?? streams.map(({ name }) => name),
    ...(day.asked && { org: day.asked }),
    onOrgFailure: 'continue',
    force: true,
    backDated: true,
    maxShrink: 100,
    ...options,
  });
  return manifest as Manifest;
}
