import { z } from 'zod';

/** A day: every wait fits a timer, and no mistyped unit waits for ever. */
const LONGEST = 86_400_000;

/** No user name, query or fragment: the first would be a secret in a URL, the others would be lost. */
const isPlainUrl = (text: string): boolean => {
  if (!URL.canParse(text)) return true; // reported already
  const { username, password, search, hash } = new URL(text);
  return `${username}${password}${search}${hash}` === '';
};

/**
 * All options of the client that a file or a command line can hold. The flags and the Airbyte specification
 * are made from it.
 */
export const clientSettings = z.strictObject({
  apiKey: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'must be one line of printable characters without spaces')
    .max(4096)
    .meta({
      title: 'Compliance Access Key',
      description: 'The Compliance Access Key (sk-ant-api01-…) of the parent organisation.',
      secret: true,
    }),
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .refine(isPlainUrl, 'must have no user name, query or fragment')
    .default('https://api.anthropic.com')
    .meta({ title: 'Base URL', description: 'Where the API is; a path is put before /v1/compliance/.' }),
  timeout: z.int().min(1).max(LONGEST).default(60_000).meta({
    title: 'Timeout',
    description:
      'How long one attempt at a page may take, in milliseconds, from connecting to the last byte.',
  }),
  deadline: z.int().min(1).max(LONGEST).default(900_000).meta({
    title: 'Deadline',
    description: 'How long all attempts at a page may take together, waits included, in milliseconds.',
  }),
  maxRetries: z.int().min(0).max(100).default(8).meta({
    title: 'Retries',
    description: 'How often a page is asked for again after a failure. A 429 does not count, only time does.',
  }),
  requestsPerMinute: z.number().min(0).max(1_000_000).default(600).meta({
    title: 'Requests per minute',
    description:
      'The most requests in any minute; what the API says of its budget only lowers it. 0: no limit of our own.',
  }),
  budgetShare: z.number().gt(0).max(1).default(0.9).meta({
    title: 'Share of the budget',
    description:
      'The share of the budget the API grants that is spent at most; the rest stays for other programs.',
  }),
  anthropicVersion: z
    .string()
    .regex(/^[\x21-\x7e]*$/, 'must be printable characters without spaces')
    .default('2023-06-01')
    .meta({
      title: 'API version',
      description: 'Sent as the anthropic-version header; empty: the header is not sent.',
    }),
  pageSize: z.int().min(1).max(1000).default(1000).meta({
    title: 'Page size',
    description: 'Records asked for with one request, 1 to 1000. Smaller pages spend more of the budget.',
  }),
  maxListLength: z.int().min(1).max(1_000_000_000).default(10_000_000).meta({
    title: 'Longest list',
    description:
      'The most records of one list, such as the users of one organisation; a longer one is an error, since a list that never ends would fill the disk.',
  }),
});

/** The client's settings, complete. */
export type ClientSettings = z.output<typeof clientSettings>;

/** The client's settings as a caller gives them: all but the key have a default. */
export type ClientSettingsInput = z.input<typeof clientSettings>;
