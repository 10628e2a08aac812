import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { postgresAddress } from '../../connectors/warehouse/postgres/address.js';
import { postgresError } from '../../connectors/warehouse/postgres/error.js';
import { temporaryFolder } from '../run/support/tree.js';
import { claudeCompliance } from './support/command.js';

const address = (environment: Record<string, string>, url?: string) =>
  postgresAddress({ url, urlFile: undefined, environment });

describe('the address of a PostgreSQL', () => {
  it('comes from the PG* variables, as every other client reads them', async () => {
    const environment = {
      PGHOST: 'db',
      PGPORT: '6543',
      PGUSER: 'u',
      PGPASSWORD: 'p',
      PGDATABASE: 'd',
      PGSSLMODE: 'disable',
    };
    expect(await address(environment)).toEqual({
      host: 'db',
      port: 6543,
      user: 'u',
      password: 'p',
      database: 'd',
      ssl: false,
    });
  });

  it('comes from a URL, decoded, and from the variables where the URL is silent', async () => {
    expect(await address({ PGPASSWORD: 'p' }, 'postgresql://me%40work@localhost/my%20data')).toEqual({
      host: 'localhost',
      port: 5432,
      user: 'me@work',
      password: 'p',
      database: 'my data',
      ssl: false,
    });
    expect(await address({ DATABASE_URL: 'postgres://u:p%2Fw@[::1]:99/d' })).toMatchObject({
      host: '::1',
      port: 99,
      password: 'p/w',
    });
    expect(await address({}, 'postgres:///d?host=/run/postgresql')).toMatchObject({
      host: '/run/postgresql',
      database: 'd',
      ssl: false,
    });
  });

  it('comes from a file, which keeps a password out of the process list', async () => {
    await using folder = await temporaryFolder();
    const urlFile = join(folder.path, 'url');
    await writeFile(urlFile, 'postgres://u:secret@localhost/d\n');
    expect(await postgresAddress({ url: undefined, urlFile, environment: {} })).toMatchObject({
      user: 'u',
      password: 'secret',
    });
  });

  it('encrypts and verifies to any other host, unless sslmode says otherwise', async () => {
    expect((await address({ PGHOST: 'db.example' })).ssl).toEqual({ rejectUnauthorized: true });
    expect((await address({ PGHOST: 'db.example', PGSSLMODE: 'prefer' })).ssl).toEqual({
      rejectUnauthorized: false,
    });
    expect((await address({ PGHOST: 'db.example', PGSSLMODE: 'verify-ca' })).ssl).toMatchObject({
      rejectUnauthorized: true,
      checkServerIdentity: expect.any(Function),
    });
  });

  it.each([
    'postgres://u:secret@h/d',
    'postgres://u@h/d?password=secret',
    'mysql://secret@h/d',
    'not a url: secret',
    'postgres://u@h:1/secret%ZZ',
    'postgres://u@h/d?sslmode=secret',
    'postgres://u@h/d?secret=1',
  ])('is refused without a word of %s', async (url) => {
    const { exitCode, stderr } = await claudeCompliance(['load', 'postgres', '--from', 'x', '--url', url]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('postgres_address_invalid');
    expect(stderr).not.toContain('secret');
  });
});

describe('an error of the driver', () => {
  const at = { host: 'h', port: 1, password: 'se cret', ssl: false as const };
  const thrown = (code: string, message: string) =>
    postgresError(Object.assign(new Error(message), { code }), at);

  it('is reported without the password, without addresses and without data', () => {
    expect(thrown('28P01', 'no entry for "jo@example.com" with se cret').message).not.toMatch(
      /jo@example|se cret/,
    );
    expect(thrown('22P02', 'invalid input: "Jo Doe"').message).not.toContain('Jo Doe');
    expect(thrown('23505', 'Key (id)=(user_1)').message).not.toContain('user_1');
  });

  it.each([
    ['28P01', 2],
    ['3D000', 2],
    ['42501', 2],
    ['ENOTFOUND', 2],
    ['SELF_SIGNED_CERT_IN_CHAIN', 2],
    ['ECONNREFUSED', 75],
    ['57P01', 75],
    ['40P01', 75],
    ['55P03', 75],
    ['22P05', 1],
  ])('%s ends with %i', (code, exitCode) => {
    expect(thrown(code, 'x').exitCode).toBe(exitCode);
  });
});
