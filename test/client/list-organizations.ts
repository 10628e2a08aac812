/** Lists the organisations and ends: a process of its own, for what Node reads when it starts. */
import { ComplianceClient } from '../../src/extract/compliance-client.js';

const [baseUrl = '', apiKey = ''] = process.argv.slice(2);
const { HTTPS_PROXY: httpsProxy } = process.env;
await using client = new ComplianceClient({ baseUrl, apiKey, maxRetries: 0, proxy: { httpsProxy } });
try {
  console.log(`listed ${(await client.organizations.list()).length}`);
} catch (error) {
  console.log(`failed ${(error as { code: string }).code}`);
}
