import { randomUUID } from 'node:crypto';
import { lutimes, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { thisProcess } from '../../src/process-identity.js';
import { sweepTemporaries, temporaryKey } from '../../src/storage/temporary.js';

const HOUR = 60 * 60 * 1000;
const [pid, startTime, space] = thisProcess.split('.') as [string, string, string];
/** A process that had this one's pid before it. */
const DEAD = `${pid}.${Number(startTime) - 1}.${space}`;
/** A process of another machine. */
const ELSEWHERE = `${pid}.${startTime}.${space === '0'.repeat(12) ? '1'.repeat(12) : '0'.repeat(12)}`;

let scratch: string;
let staging: string;
let folder: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'temporary-'));
});
beforeEach(async () => {
  staging = await mkdtemp(join(scratch, 'staging-'));
  folder = join(staging, 'tmp');
  await mkdir(folder);
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

type Plant = (path: string) => Promise<unknown>;
const file: Plant = (path) => writeFile(path, 'x');
const fullFolder: Plant = async (path) => {
  await mkdir(join(path, 'deep'), { recursive: true });
  await writeFile(join(path, 'deep/file'), 'x');
};
const linkTo =
  (target: string): Plant =>
  (path) =>
    symlink(target, path);

async function plant(name: string, make: Plant, hoursOld = 0): Promise<string> {
  const path = join(folder, name);
  await make(path);
  const at = new Date(Date.now() - hoursOld * HOUR);
  await lutimes(path, at, at);
  return name;
}

const nameOf = (identity: string): string => `${identity}.${randomUUID()}`;

describe('a temporary name', () => {
  it('says whose it is, and is new each time', () => {
    expect(temporaryKey()).toMatch(/^tmp\/\d+\.\d+\.[0-9a-f]{12}\.[0-9a-f-]{36}$/);
    expect(temporaryKey().startsWith(`tmp/${thisProcess}.`)).toBe(true);
    expect(temporaryKey()).not.toBe(temporaryKey());
  });
});

describe('sweeping', () => {
  it.each([
    ['file', file],
    ['folder with files', fullFolder],
  ])('removes a %s of a process that has ended', async (_, make) => {
    await plant(nameOf(DEAD), make);
    await sweepTemporaries(staging);
    expect(await readdir(folder)).toEqual([]);
  });

  it('keeps what belongs to a process that runs, or to one elsewhere, until it is a day old', async () => {
    const kept = [
      await plant(nameOf(thisProcess), file, 23),
      await plant(nameOf(thisProcess), fullFolder, 23),
      await plant(nameOf(ELSEWHERE), file, 23),
      await plant(nameOf(ELSEWHERE), linkTo('nowhere'), 23),
    ];
    await plant(nameOf(ELSEWHERE), file, 25);
    await plant(nameOf(ELSEWHERE), fullFolder, 25);
    await sweepTemporaries(staging);
    expect((await readdir(folder)).sort()).toEqual(kept.sort());
  });

  it('removes a link itself, and nothing behind it', async () => {
    const foreign = join(staging, 'foreign');
    await fullFolder(foreign);
    await plant(nameOf(DEAD), linkTo(foreign));
    await plant(nameOf(ELSEWHERE), linkTo(foreign), 25);
    await plant(nameOf(DEAD), linkTo(join(foreign, 'deep/file')));
    await plant(nameOf(DEAD), linkTo('nowhere'));
    await plant(nameOf(DEAD), async (path) => {
      await mkdir(path);
      await symlink(foreign, join(path, 'link'));
    });
    await sweepTemporaries(staging);
    expect(await readdir(folder)).toEqual([]);
    expect(await readFile(join(foreign, 'deep/file'), 'utf8')).toBe('x');
  });

  it('judges the age of a link, not of what it leads to', async () => {
    await file(join(staging, 'old'));
    await utimes(join(staging, 'old'), 0, 0);
    const name = await plant(nameOf(ELSEWHERE), linkTo(join(staging, 'old')));
    await sweepTemporaries(staging);
    expect(await readdir(folder)).toEqual([name]);
  });

  it.each([
    ['file', file],
    ['folder with files', fullFolder],
    ['link to a folder', linkTo('.')],
    ['link to nothing', linkTo('nowhere')],
  ])('touches no %s that has another name, however similar and however old', async (_, make) => {
    const uuid = randomUUID();
    const others = [
      ...['notes.txt', '.hidden', uuid, `${pid}.${uuid}`, `${pid}.${space}.${uuid}`],
      ...[DEAD, `${DEAD}.`, `${DEAD}.x`, `${DEAD}-${uuid}`, `${DEAD}${uuid}`],
      ...[`${DEAD}.${uuid}.bak`, `${DEAD}.${uuid}~`, `${DEAD}.${uuid}0`, `${DEAD}.${uuid}\n`],
      ...[
        `.${DEAD}.${uuid}`,
        `x${DEAD}.${uuid}`,
        ` ${DEAD}.${uuid}`,
        `-${DEAD}.${uuid}`,
        `0x${DEAD}.${uuid}`,
      ],
      ...[`${DEAD}.${uuid.slice(1)}`, `${DEAD}.${uuid.replaceAll('-', '')}`, `${DEAD}.A${uuid.slice(1)}`],
      ...[`${pid}.${startTime}.${space.slice(1)}.${uuid}`, `${pid}.${startTime}.${space}f.${uuid}`],
      ...[
        `${pid}.${startTime}.A${space.slice(1)}.${uuid}`,
        `${pid}..${space}.${uuid}`,
        `${pid}.-1.${space}.${uuid}`,
      ],
    ];
    for (const name of others) {
      await plant(name, make, 48);
      await plant(`${name} years`, make, 24 * 3650);
    }
    await sweepTemporaries(staging);
    expect((await readdir(folder)).sort()).toEqual(others.flatMap((name) => [name, `${name} years`]).sort());
    if (make !== fullFolder) return;
    for (const name of others) expect(await readFile(join(folder, name, 'deep/file'), 'utf8')).toBe('x');
  });

  it('does not sweep a folder of somebody else through a link', async () => {
    await plant(nameOf(DEAD), file);
    const other = await mkdtemp(join(scratch, 'other-'));
    await symlink(folder, join(other, 'tmp'));
    await sweepTemporaries(other);
    expect(await readdir(folder)).toHaveLength(1);
  });

  it('accepts that there is nothing', async () => {
    await expect(sweepTemporaries(join(staging, 'absent'))).resolves.toBeUndefined();
  });
});
