/** One thing that is not as the manifest or the log says. */
export interface Finding {
  /** Undefined when it concerns no single day. */
  runDate?: string;
  /** Relative to the root. */
  path: string;
  problem:
    | 'missing'
    | 'unreferenced'
    | 'size'
    | 'sha256'
    | 'rows'
    | 'schema'
    | 'unreadable'
    | 'totals'
    | 'copy'
    | 'log'
    | 'head'
    | 'link'
    | 'mode';
  /** What was expected and what was found. */
  detail: string;
}
