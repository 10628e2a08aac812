import type { z } from 'zod';
import { ConfigError } from './errors.js';

/**
 * What was given to a part of the library, checked, with its defaults.
 * @param what as the message calls it: "the client", "a snapshot"
 * @throws ConfigError `settings_invalid`, with every mistake at once
 */
export function parseSettings<S extends z.ZodType>(schema: S, given: unknown, what: string): z.output<S> {
  const { success, data, error } = schema.safeParse(given);
  if (success) return data;
  const mistakes = error.issues.map(({ path, message }) => `${path.join('.') || 'the settings'}: ${message}`);
  throw new ConfigError(`The settings of ${what} are not valid. ${mistakes.join('; ')}.`, {
    code: 'settings_invalid',
  });
}
