import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Venv, venv } from './venv.js';

const run = promisify(execFile);

/** Python with PySpark, where there is the Java that it needs. */
export async function spark(): Promise<Venv> {
  const made = await venv('spark', ['pyspark==4.3.0']);
  const { stderr = '' } = await run('java', ['-version']).catch(() => ({ stderr: '' }));
  const [, version = 0] = /version "(\d+)/.exec(stderr) ?? [];
  if ('missing' in made || Number(version) >= 17) return made;
  return { missing: 'Java 17 or newer is missing (no such java on the PATH)' };
}

/** For a short life on this machine alone: without its slower compiler Java takes half of the processor time. */
export const SPARK_ENVIRONMENT = {
  SPARK_LOCAL_IP: '127.0.0.1',
  JDK_JAVA_OPTIONS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC',
};
