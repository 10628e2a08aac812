import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { kills, randomFractions } from './kill.js';

describe('a read of 200,000 users, killed at 50 random points', () => {
  it('goes on without a gap, and repeats nothing that came before the state', async () => {
    await using api = await startFixtureApi({ organizations: 60, users: 200_000, latency: 20 });
    const outcomes: { lost: number; repeated: number; wentOn: boolean }[] = [];
    for await (const killed of kills(api, [...randomFractions(5, 50)])) outcomes.push(killed);
    expect(outcomes).toHaveLength(50);
    expect(outcomes.filter(({ lost, repeated }) => lost > 0 || repeated > 0)).toEqual([]);
    const wentOn = outcomes.filter(({ wentOn }) => wentOn).length;
    console.log(`killed at 50 points: 0 lost, 0 repeated, ${wentOn} went on from a position`);
    expect(wentOn).toBeGreaterThan(25);
  }, 2_400_000);
});
