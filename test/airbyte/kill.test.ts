import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { kills } from './kill.js';

describe('a read that is killed', () => {
  it('goes on without a gap (a few points; 50 of them in npm run test:airbyte)', async () => {
    await using api = await startFixtureApi({ organizations: 12, users: 10_000, latency: 40 });
    for await (const { lost, repeated } of kills(api, [0.3, 0.8])) {
      expect({ lost, repeated }).toEqual({ lost: 0, repeated: 0 });
    }
  }, 60_000);
});
