import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { kills } from './kill.js';

describe('a read that is killed (at a few points; at 20 in npm run test:airbyte)', () => {
  it.each([
    ['users', { organizations: 12, users: 10_000, latency: 40 }, [0.3, 0.8]],
    ['roles', { organizations: 300, users: 300, latency: 40 }, [0.9]],
  ])(
    'is resumed without a gap in %s',
    async (stream, options, fractions) => {
      await using api = await startFixtureApi(options);
      const outcomes = [];
      for await (const killed of kills(api, { stream, fractions })) outcomes.push(killed);
      expect(outcomes.filter(({ lost, repeated }) => lost > 0 || repeated > 0)).toEqual([]);
      expect(outcomes).toHaveLength(fractions.length);
      // Many lists are read for longer than a second, so that at least one state holds a position.
      if (stream === 'roles') expect(outcomes[0]?.resumed).toBe(true);
    },
    60_000,
  );
});
