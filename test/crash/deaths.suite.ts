import { afterAll, describe, expect, it } from 'vitest';
import { endingsAfter, harmEverywhere } from './support/harm.js';
import { type Mishap, mishaps } from './support/mortal.js';
import { openScenarios } from './support/scenarios.js';

const opened = await openScenarios();
afterAll(() => opened[Symbol.asyncDispose]());

describe.each(opened.scenarios)(
  '$name leaves the old snapshot or the new one, and the next run repairs the rest, when it',
  (scenario) => {
    it.each(Object.keys(mishaps) as Mishap[])('%s any step', async (mishap) => {
      const endings = endingsAfter(mishap, scenario);
      const steps = await harmEverywhere(scenario, opened, { mishap, endings });
      console.log(`${scenario.name} ${mishap} each of ${steps.length} steps`);
      expect(steps.length).toBeGreaterThan(8);
    });
  },
);
