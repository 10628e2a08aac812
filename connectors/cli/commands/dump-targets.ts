import type { Target } from '../../../src/index.js';
import { openRoot } from '../../kit/root.js';
import { sinksOf } from '../formats.js';
import type { DumpSettings } from './dump-settings.js';

/** Where a dump goes: one format has the root for itself; several have a folder each. */
export async function targetsOf(settings: DumpSettings): Promise<Target[]> {
  const sinks = sinksOf(settings);
  const targets: Target[] = [];
  for (const sink of sinks) {
    const storage = await openRoot(settings, sinks.length === 1 ? undefined : sink.format);
    targets.push({ sink, storage });
  }
  return targets;
}
