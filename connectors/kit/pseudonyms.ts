import { z } from 'zod';
import { ConfigError, createPseudonyms, marks, type Pseudonyms, streams } from '../../src/index.js';

/** The columns that name a person, in whatever stream. */
export const personalColumns = [
  ...new Set(
    streams.flatMap(({ fields }) => fields.filter(({ personal }) => personal).map(({ name }) => name)),
  ),
];

/** The key, for commands that make or compare pseudonyms. */
export const pseudonymKeySettings = z.object({
  pseudonymKey: z.string().optional().register(marks, { isNoEvidence: true }),
  pseudonymKeyFile: z
    .string()
    .optional()
    .describe('A file that holds the key for pseudonyms, instead of CLAUDE_COMPLIANCE_PSEUDONYM_KEY.')
    .register(marks, { isNoEvidence: true }),
});

/** What is replaced by pseudonyms. */
export const pseudonymSettings = z.object({
  pseudonymize: z
    .array(z.enum(personalColumns as [string, ...string[]]))
    .min(1)
    .optional()
    .describe(
      'Replace these columns, and all texts in extra beside them, by keyed pseudonyms (HMAC-SHA-256).',
    ),
  keepDomain: z
    .boolean()
    .default(false)
    .describe('Keep the domain of e-mail addresses readable in their pseudonyms.')
    .register(marks, { isNoEvidence: true }),
  ...pseudonymKeySettings.shape,
});

/** The pseudonyms that were asked for, if any. @throws ConfigError `pseudonym_key_missing`, `pseudonym_key_short` */
export function pseudonymsOf({
  pseudonymize: columns,
  keepDomain,
  pseudonymKey,
}: z.output<typeof pseudonymSettings>): Pseudonyms | undefined {
  return columns && createPseudonyms({ key: keyOf(pseudonymKey), columns, keepDomain });
}

/** @throws ConfigError `pseudonym_key_missing` */
export function keyOf(key: string | undefined): Uint8Array {
  if (key !== undefined) return Buffer.from(key);
  throw new ConfigError(
    'The key for pseudonyms is missing: set CLAUDE_COMPLIANCE_PSEUDONYM_KEY, or give --pseudonym-key-file. Make one: openssl rand -hex 32.',
    { code: 'pseudonym_key_missing' },
  );
}
