/**
 * Asks for the page of each organisation named and prints how it ended, and at last the most memory this process took: one
 * of its own, for what hostile bodies do to memory.
 */
import { ComplianceClient } from '../../src/extract/compliance-client.js';

const [baseUrl = '', apiKey = '', ...ids] = process.argv.slice(2);
await using client = new ComplianceClient({
  baseUrl,
  apiKey,
  requestsPerMinute: 0,
  maxRetries: 0,
  timeout: 20_000,
});
const ended: Record<string, string> = {};
for (const id of ids) {
  try {
    const { data } = await client.organizations.listUsers(id);
    ended[id] = `${data.length} users`;
  } catch (error) {
    ended[id] = (error as { code: string }).code;
  }
  globalThis.gc?.(); // what one body left behind is not the next one's
}
console.log(JSON.stringify({ ended, peakMegabytes: process.resourceUsage().maxRSS / 1024 }));
