/**
 * Loaded before a program (`node --import`): counts every call that changes the file system, and kills the process with
 * SIGKILL just before the one that KILL_AT_STEP names. A write that is named is torn: half of it is written first; and so
 * is the removal of a folder: one of its files goes first.
 * Without KILL_AT_STEP the number of steps goes to the file STEPS_TO.
 */
import { writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import process from 'node:process';

const killAt = Number(process.env.KILL_AT_STEP ?? 0);
let steps = 0;

const die = () => {
  process.kill(process.pid, 'SIGKILL');
  for (;;); // the signal is on its way
};

const counted = (call, tear) =>
  async function (...args) {
    steps += 1;
    if (steps === killAt) {
      await tear?.apply(this, args);
      die();
    }
    return await call.apply(this, args);
  };

const { open, readdir, rm, unlink } = fs;
for (const name of ['chmod', 'link', 'mkdir', 'rename', 'rmdir', 'truncate', 'unlink'])
  fs[name] = counted(fs[name]);
fs.rm = counted(rm, async (path, { recursive }) => {
  const entries = recursive ? await readdir(path, { recursive, withFileTypes: true }).catch(() => []) : [];
  const file = entries.find((entry) => entry.isFile());
  if (file) await unlink(join(file.parentPath, file.name));
});
const handle = await open(new URL(import.meta.url).pathname, 'r');
const { prototype } = handle.constructor;
await handle.close();
fs.open = (path, flags, ...rest) =>
  flags === 'r' ? open(path, flags, ...rest) : counted(open).call(fs, path, flags, ...rest);
for (const name of ['datasync', 'sync']) prototype[name] = counted(prototype[name]);
const { write, appendFile } = prototype; // the journal's and every file's way to the disk
prototype.write = counted(write, function (buffer, offset = 0) {
  return write.call(this, buffer, offset, Math.floor((buffer.byteLength - offset) / 2));
});
prototype.appendFile = counted(appendFile, function (text) {
  return appendFile.call(this, text.slice(0, Math.floor(text.length / 2))); // text and bytes both have `slice`
});
syncBuiltinESMExports();

process.on('exit', () => {
  if (process.env.STEPS_TO) writeFileSync(process.env.STEPS_TO, String(steps));
});
