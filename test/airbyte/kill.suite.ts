import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { kills, randomFractions } from './kill.js';

describe('a read of 200,000 users, killed at 20 random points', () => {
  it('is resumed without a gap, and repeats nothing that came before the state', async () => {
    await using api = await startFixtureApi({ organizations: 60, users: 200_000, latency: 20 });
    const outcomes: { lost: number; repeated: number; resumed: boolean }[] = [];
    for await (const killed of kills(api, {
      stream: 'users',
      fractions: [...randomFractions(5, 20)],
    }))
      outcomes.push(killed);
    expect(outcomes).toHaveLength(20);
    expect(outcomes.filter(({ lost, repeated }) => lost > 0 || repeated > 0)).toEqual([]);
    const resumed = outcomes.filter(({ resumed }) => resumed).length;
    console.log(`killed at 20 points: 0 lost, 0 repeated, ${resumed} resumed from a position`);
    expect(resumed).toBeGreaterThan(10);
  }, 2_400_000);
});
