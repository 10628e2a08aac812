import { expect, it } from 'vitest';
import lock from '../../package-lock.json' with { type: 'json' };

/**
 * Of opendal 0.49.2, for other platforms than that of the build: the registry that the lock file was made with does not serve these
 * versions, so nobody here has seen their bytes. Whoever can reach registry.npmjs.org: `npm view NAME@0.49.2 dist.integrity`.
 */
const NOT_SERVED = ['darwin-arm64', 'darwin-x64', 'linux-arm64-gnu', 'linux-arm64-musl']
  .concat(['win32-arm64-msvc', 'win32-x64-msvc'])
  .map((platform) => `node_modules/@opendal/lib-${platform}`);

it('every package of the lock file has the hash of its bytes, but for six that could not be asked for', () => {
  const packages = Object.entries(lock.packages as Record<string, { integrity?: string }>).slice(1);
  expect(packages.length).toBeGreaterThan(100);
  const without = packages.filter(
    ([, { integrity }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ''),
  );
  expect(without.map(([path]) => path)).toEqual(NOT_SERVED);
});
