/**
 * Loaded before a program (`node --import`): counts every call that changes the file system, and sends the process SIGNAL
 * just before the call that STEP names. SIGKILL tears a write that is named: half of it is written first. After SIGSTOP and
 * SIGCONT the process goes on with the call. Without STEP the number of calls goes to the file STEPS_TO.
 */
import { writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';

const { STEP = '0', SIGNAL = 'SIGKILL', STEPS_TO } = process.env;
let steps = 0;

const counted = (call, tear) =>
  async function (...args) {
    steps += 1;
    if (steps === Number(STEP)) {
      if (SIGNAL === 'SIGKILL') await tear?.apply(this, args);
      process.kill(process.pid, SIGNAL);
      while (SIGNAL === 'SIGKILL'); // the signal is on its way
    }
    return await call.apply(this, args);
  };

const { open } = fs;
for (const name of ['chmod', 'link', 'mkdir', 'rename', 'rm', 'rmdir', 'truncate', 'unlink'])
  fs[name] = counted(fs[name]);
const handle = await open(new URL(import.meta.url).pathname, 'r');
const { prototype } = handle.constructor;
await handle.close();
fs.open = (path, flags, ...rest) =>
  typeof flags === 'string' && flags !== 'r'
    ? counted(open).call(fs, path, flags, ...rest)
    : open(path, flags, ...rest);
for (const name of ['chmod', 'datasync', 'sync']) prototype[name] = counted(prototype[name]);
const { write, appendFile } = prototype; // of every file, and of the journal
prototype.write = counted(write, function (buffer, offset = 0) {
  return write.call(this, buffer, offset, Math.floor((buffer.byteLength - offset) / 2));
});
prototype.appendFile = counted(appendFile, function (text) {
  return appendFile.call(this, text.slice(0, Math.floor(text.length / 2))); // text and bytes both have `slice`
});
syncBuiltinESMExports();

process.on('exit', () => {
  if (STEPS_TO) writeFileSync(STEPS_TO, String(steps));
});
