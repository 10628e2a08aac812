import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');

/** One instruction, its continued lines joined. */
export interface Instruction {
  name: string;
  value: string;
}

/** One stage of a Dockerfile. */
export interface Stage {
  name: string;
  /** An image, or the name of an earlier stage. */
  from: string;
  instructions: Instruction[];
}

/** Reads the Dockerfile of the repository. */
export function readDockerfile(): Stage[] {
  const lines = readFileSync(resolve(ROOT, 'Dockerfile'), 'utf8')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const stages: Stage[] = [];
  for (const line of lines) {
    const [, name = '', value = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (name === '') throw new Error(`No instruction: ${line}`);
    if (name === 'FROM') {
      const [from = '', , stage = ''] = value.split(/\s+/);
      stages.push({ name: stage, from, instructions: [] });
    } else stages.at(-1)?.instructions.push({ name, value });
  }
  return stages;
}

/** A stage and those it is built from, the first one first. */
export function chain(stages: readonly Stage[], name: string): Stage[] {
  const stage = stages.find((other) => other.name === name);
  return stage ? [...chain(stages, stage.from), stage] : [];
}
