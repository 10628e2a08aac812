import type { Writable } from 'node:stream';
import type { z } from 'zod';

/** The parts of the process that a command may use. */
export interface Context {
  /** With the columns of the terminal, where it is one. */
  stdout: Writable & { columns?: number };
  stderr: Writable & { isTTY?: boolean; columns?: number };
  environment: NodeJS.ProcessEnv;
  /** Aborts at Ctrl-C and SIGTERM. */
  signal: AbortSignal;
}

/** A word that follows the name of a command. */
export interface Positional {
  key: string;
  choices?: readonly string[];
  describe: string;
}

/** One command of `claude-compliance-connector`. */
export interface Command<S extends z.ZodObject = z.ZodObject> {
  /** Words that follow the name; each is a setting like the others. */
  positionals?: readonly Positional[];
  settings: S;
  /** Whether these settings leave no use for the key, so that nobody is asked for it. */
  isWithoutKey?(settings: Readonly<Record<string, unknown>>): boolean;
  /** @returns the exit code @throws ComplianceError, which is reported with its own exit code */
  run(settings: z.output<S>, context: Context): Promise<number>;
}

/** Keeps the type of the settings between a schema and its `run`. */
export const command = <S extends z.ZodObject>(definition: Command<S>): Command =>
  definition as unknown as Command;
