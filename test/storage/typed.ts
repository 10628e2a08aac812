import { say } from '../cli/command.js';

/** A command line as a person types it, and all that it says. */
export async function typed(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<{ exitCode: number; text: string }> {
  const { code, stdout, stderr } = await say(args, environment);
  return { exitCode: code, text: stdout + stderr };
}
