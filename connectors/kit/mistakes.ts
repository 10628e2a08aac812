import leven from 'leven';
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/**
 * What is wrong with one setting, in words that start with what gave it (`--page-size`); never its value, which may be a secret.
 */
export function sayIssue(issue: Issue, nameOf: (key: string) => string): string {
  const [key, ...rest] = issue.path.map(String);
  if (key === 'apiKey') {
    if (issue.code !== 'invalid_type') return `The key ${sayRule(issue)}`;
    return 'The key is missing: set ANTHROPIC_COMPLIANCE_ACCESS_KEY, or give --api-key-file or --api-key-command';
  }
  if (key === undefined) return sayRule(issue);
  const place = rest.map((index) => ` (value ${Number(index) + 1})`).join('');
  return `${nameOf(key)}${place} ${sayRule(issue)}`;
}

function sayRule(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is missing';
      if (issue.input === null) return 'has no value';
      if (Array.isArray(issue.input)) return 'may be given only once';
      return `must be ${TYPES[issue.expected] ?? issue.expected}`;
    case 'too_big':
      return `must be at most ${issue.maximum}${issue.origin === 'string' ? ' characters' : ''}`;
    case 'too_small':
      if (issue.origin === 'string' || issue.origin === 'array') return 'must not be empty';
      return `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`;
    case 'invalid_value': {
      const choices = issue.values.map(String);
      return `must be ${choices.length > 1 ? 'one of ' : ''}${choices.join(', ')}${didYouMean(issue.input, choices)}`;
    }
    case 'invalid_format':
      return FORMATS[issue.format] ?? issue.message;
    default:
      return issue.message;
  }
}

const TYPES: Record<string, string> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  string: 'a text',
};

const FORMATS: Record<string, string> = {
  date: 'must be a day of the calendar, such as 2026-11-23',
  url: 'must be an address such as https://api.anthropic.com',
};

/** `: did you mean …?`, when one of the known words is near enough. */
export function didYouMean(word: unknown, known: readonly string[], say = (name: string) => name): string {
  if (typeof word !== 'string' || word.length > 64) return '';
  const [best] = known
    .map((name) => ({ name, distance: leven(word, name) }))
    .sort((a, b) => a.distance - b.distance);
  return best && best.distance <= Math.max(2, word.length / 3) ? `: did you mean ${say(best.name)}?` : '';
}
