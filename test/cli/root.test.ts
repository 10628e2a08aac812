import { describe, expect, it } from 'vitest';
import { openRoot, stateFolder } from '../../connectors/kit/root.js';
import { say } from './command.js';

describe('the state folder', () => {
  const environment = { HOME: '/home/nobody' };
  const bucket = { out: 's3://lake/root', storageOption: undefined };

  it('is a local root itself, in which the library has a folder for it', () => {
    expect(stateFolder({ out: './lake', storageOption: undefined }, environment)).toBe('./lake');
  });

  it('of a bucket is below the state folder of the user', () => {
    expect(stateFolder(bucket, environment)).toMatch(
      /^\/home\/nobody\/\.local\/state\/claude-compliance-connector\/[0-9a-f]{16}$/,
    );
    expect(stateFolder(bucket, { ...environment, XDG_STATE_HOME: '/state' })).toMatch(
      /^\/state\/claude-compliance-connector\/[0-9a-f]{16}$/,
    );
    expect(stateFolder(bucket, { ...environment, XDG_STATE_HOME: 'not/absolute' })).toMatch(
      /^\/home\/nobody/,
    );
  });

  it('is one for each bucket, prefix and endpoint, whatever else is given', () => {
    const of = (out: string, ...storageOption: string[]) => stateFolder({ out, storageOption }, environment);
    expect(of('s3://lake/root/')).toBe(of('s3://lake/root'));
    expect(of('s3://lake/root', 'region=eu-west-1')).toBe(of('s3://lake/root'));
    const different = [
      of('s3://lake/root'),
      of('s3://lake/other'),
      of('s3://lake/root', 'endpoint=https://other'),
    ];
    expect(new Set(different).size).toBe(3);
  });

  it('is the one that was asked for', () => {
    expect(stateFolder({ ...bucket, state: '/var/lib/connector' }, environment)).toBe('/var/lib/connector');
  });
});

describe('--storage-option', () => {
  it('is passed on, and a folder of the root has it too', async () => {
    const settings = { out: 's3://lake/root/', storageOption: ['region=eu-west-1', 'endpoint=https://a?b'] };
    await expect(openRoot(settings)).rejects.toMatchObject({ code: 'storage_options_invalid' });
    const good = { out: 's3://lake/root/', storageOption: ['region=eu-west-1'], fileMode: '640' };
    expect((await openRoot(good, 'csv')).location).toBe('s3://lake/root/csv');
  });

  it.each([
    ['secret_access_key=abcdef', 'never from a flag'],
    ['region', 'must look like key=value'],
  ])('%s is refused, and not repeated', async (option, words) => {
    const { code, stderr } = await say(['verify', '--out', 's3://lake/root', '--storage-option', option]);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
    expect(stderr).not.toContain('abcdef');
  });

  it('that no such store has is refused', async () => {
    const { code, stderr } = await say(['verify', '--out', 's3://lake/root', '--storage-option', 'regoin=x']);
    expect(code).toBe(2);
    expect(stderr).toContain('s3 has no option regoin');
  });
});
