import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { temporaryFolder } from '../run/support/tree.js';
import { environmentOf, say } from './command.js';

describe('an API that contradicts itself', () => {
  it('is shown in the summary: a record that was served again with other values', async () => {
    await using api = await startFixtureApi({ sizes: [150] });
    await using root = await temporaryFolder();
    api.repeat(String(api.organizations()[0]?.uuid), 42);
    api.fault({
      match: { list: 'users', page: 1 },
      do: {
        type: 'envelope',
        change({ data, ...page }) {
          const [first, ...rest] = data as object[];
          return { ...page, data: [{ ...first, full_name: 'Somebody Else' }, ...rest] };
        },
      },
    });
    const dump = ['dump', '--out', root.path, '--page-size', '100', '--requests-per-minute', '0'];
    const { code, stdout, stderr } = await say(dump, environmentOf(api));
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    expect(`${stdout}${stderr}`).toContain(
      '  CONTRADICTION: 1 record served again with other values; the first ones are kept\n',
    );
    expect(`${stdout}${stderr}`).not.toContain('Somebody Else');
  });
});

describe('a first dump that lists no organisation', () => {
  it('ends with exit code 1 and publishes nothing, unless --allow-empty says that it is right', async () => {
    await using api = await startFixtureApi({ sizes: [] });
    await using root = await temporaryFolder();
    const dump = ['dump', '--out', root.path, '--requests-per-minute', '0'];
    const { code, stderr } = await say(dump, environmentOf(api));
    expect(code).toBe(1);
    expect(stderr).toContain('error: The API listed no organisation at all, so nothing was published.');
    expect(stderr).toContain('--allow-empty. [empty_refused]');
    expect(await say(['verify', '--out', root.path])).toMatchObject({ code: 2 });
    expect(await say([...dump, '--allow-empty'], environmentOf(api))).toMatchObject({ code: 0 });
    expect(await say(['verify', '--out', root.path])).toMatchObject({ code: 0 });
  });
});

describe('the variables of a proxy', () => {
  it('that make no sense are a mistake of the configuration, and are not repeated', async () => {
    const key = { ANTHROPIC_COMPLIANCE_ACCESS_KEY: 'sk-ant-api01-x', HTTPS_PROXY: 'clerk:sec/ret@proxy:1' };
    const { code, stdout, stderr } = await say(['check'], key);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(
      /^error: The address of the proxy \(HTTPS_PROXY\) is not usable\..*\[proxy_invalid\]\n$/,
    );
    expect(stderr).not.toContain('ret@');
  });
});
