import { expect, it } from 'vitest';
import { runChaos } from './chaos.js';

// `npm run chaos` runs 200 seeds of it, continuous integration 20.
it.each([1, 2, 3])(
  'chaos %d ends with exactly what was served, or an error that names what is missing',
  async (seed) => {
    const { complete, missing, wrong } = await runChaos(seed);
    expect(wrong).toEqual([]);
    expect(complete + missing.length).toBeGreaterThan(0);
  },
);
