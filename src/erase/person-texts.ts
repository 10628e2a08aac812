/** The texts that name one person: the id that was given, and the addresses and names that the rows about this person hold. */
export interface PersonTexts {
  readonly id: string;
  /** Whether an address or a name is known. */
  readonly isLearned: boolean;
  learn(kind: 'email' | 'name' | 'phrase', text: string): void;
  /** The text with every one of them replaced; the same text where there is none. */
  replace(text: string, replacement: string): string;
}

/**
 * Finds one person in any text: the id as it is, an address in any case, a full name of two words or more in any case and with
 * any space between the words. A name of one word is not looked for: it may be a word of the language, or another person's.
 */
export function personTexts(id: string): PersonTexts {
  const learned = new Map<string, string>();
  const patterns = [new RegExp(`(?<![A-Za-z0-9])${escaped(id)}(?![A-Za-z0-9])`, 'gu')];
  return {
    id,
    get isLearned() {
      return learned.size > 0;
    },
    learn(kind, text) {
      const pattern = patternOf(kind, text.trim());
      if (pattern === undefined || learned.has(pattern)) return;
      learned.set(pattern, text);
      patterns.push(new RegExp(pattern, 'giu'));
    },
    replace(text, replacement) {
      let replaced = text;
      for (const pattern of patterns) replaced = replaced.replace(pattern, replacement);
      return replaced;
    },
  };
}

/** Undefined for a text that says too little. A phrase is what somebody asked for, and may be one word. */
function patternOf(kind: 'email' | 'name' | 'phrase', text: string): string | undefined {
  if (/^[^@\s]+@[^@\s]+$/u.test(text)) return addressPattern(text);
  const isTold = kind === 'phrase' || (kind === 'name' && /[\p{L}\p{N}]\s+[\p{L}\p{N}]/u.test(text));
  return isTold ? phrasePattern(text) : undefined;
}

/** An address is no part of a longer one. */
const addressPattern = (text: string): string =>
  `(?<![\\p{L}\\p{N}._%+-])${anyForm(text, escaped)}(?![\\p{L}\\p{N}-]|\\.[\\p{L}\\p{N}])`;

const phrasePattern = (text: string): string =>
  `(?<![\\p{L}\\p{N}])${anyForm(text, (form) => form.split(/\s+/u).map(escaped).join('\\s+'))}(?![\\p{L}\\p{N}])`;

/** A letter with an accent is one character or two. */
const anyForm = (text: string, pattern: (form: string) => string): string =>
  `(?:${[...new Set([text, text.normalize('NFC'), text.normalize('NFD')].map(pattern))].join('|')})`;

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
