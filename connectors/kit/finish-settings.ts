import { z } from 'zod';
import { marks } from '../../src/index.js';
import { EXIT_CODE } from './finish-ping.js';

function isPingAddress(text: string): boolean {
  const { protocol, username, password } = URL.canParse(text) ? new URL(text) : new URL('none:');
  return /^https?:$/.test(protocol) && username === '' && password === '';
}

/** Who is to know how a run ended. */
export const finishSettings = z.object({
  onFinish: z
    .string()
    .refine(isPingAddress, 'must be an address such as https://hc-ping.com/…, without a user name')
    .optional()
    .describe(
      `An address that gets the result as JSON by one POST, also after a failure. ${EXIT_CODE} in it becomes the exit code.`,
    )
    .register(marks, { isNoEvidence: true }),
  metricsFile: z
    .string()
    .regex(/\.prom$/, 'must end with .prom')
    .optional()
    .describe("A file with the result for Prometheus, by node-exporter's textfile collector.")
    .register(marks, { isNoEvidence: true }),
});
