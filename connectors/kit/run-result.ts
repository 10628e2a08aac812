/** What a run was, and how it ended; nothing of it is personal or secret. */
export interface RunResult {
  command: string;
  /** `ok`: exit code 0. `stopped`: by a signal. */
  status: 'ok' | 'failed' | 'stopped';
  exitCode: number;
  /** Of the error that ended it. */
  errorCode: string | null;
  runDate: string | null;
  runId: string | null;
  /** The root, without credentials. */
  location: string;
  /** By table; of several days their sum. */
  rows: Readonly<Record<string, number>>;
  /** Pages that were read from the API, and their bytes. */
  requests: number;
  bytes: number;
  startedAt: Date;
  finishedAt: Date;
}
