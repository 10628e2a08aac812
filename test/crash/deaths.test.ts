import { afterAll, expect, it } from 'vitest';
import { harmEverywhere } from './support/harm.js';
import { isCommit, openScenarios } from './support/scenarios.js';

const opened = await openScenarios();
afterAll(() => opened[Symbol.asyncDispose]());

it('a dump over an older snapshot that dies at any step leaves the old one or the new one, and any run repairs the rest', async () => {
  const [, scenario] = opened.scenarios;
  if (!scenario) throw new TypeError('there is such a scenario');
  const { endings } = scenario;
  const steps = await harmEverywhere(scenario, opened, {
    mishap: 'dies before',
    endings: [...endings, 'resumption'],
  });
  expect(steps.map(({ operation }) => operation)).toEqual(
    expect.arrayContaining(['create', 'put', 'write', 'remove']),
  );
  expect(steps.filter(isCommit)).toHaveLength(1);
});
