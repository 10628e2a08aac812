/** The folders of a root beside its tables. What is not below one of these, or named as ours are, is never touched. */

/** Manifests, the log and leases. */
export const RUNS = '_runs';

/** Staged runs and temporary files, for their owner only; outside every table. */
export const STAGING = '_staging';
