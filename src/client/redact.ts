/** The longest text of the API's own that our messages quote, in characters. */
const QUOTE_LENGTH = 300;

/** How much of a text is examined at all; the patterns below are not linear in its length. */
const READ_LENGTH = 4_000;

const EMAIL = /[^\s@<>()[\]"',;:=]+@[^\s@<>()[\]"',;:=]+/g;
/** Vendor keys, bearer tokens, and any unbroken run longer than a UUID or a request id. */
const KEY = /\bsk-[\w-]+|\bbearer\s+\S+|[\w-]{40,}/gi;
/** Control characters, and those that reorder or hide text on a terminal. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]+/gu;

/**
 * Makes a text of the API's own safe for an error message or a log line: bounded, on one line, and with
 * anything like a key or an e-mail address removed. `secrets` are removed wherever they are.
 */
export function redact(text: string, secrets: readonly string[] = []): string {
  const read = withoutSecrets(text, secrets);
  // A word that the bound would cut might be half an address, which no pattern finds: it is removed too.
  const whole = read.length <= READ_LENGTH ? read : read.slice(0, READ_LENGTH).replace(/\S*$/u, '');
  const clean = whole
    .replace(UNPRINTABLE, ' ')
    .replace(EMAIL, '[e-mail]')
    .replace(KEY, '[key]')
    .replace(/\s+/gu, ' ')
    .trim();
  return clean.length <= QUOTE_LENGTH ? clean : `${clean.slice(0, QUOTE_LENGTH - 1)}…`;
}

/** Removes the secrets from a text and changes nothing else. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((rest, secret) => (secret === '' ? rest : rest.replaceAll(secret, '[key]')), text);
}
