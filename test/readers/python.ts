import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SPARK_ENVIRONMENT, spark } from '../python/spark.js';
import { venv } from '../python/venv.js';
import type { Answers, Asked } from './answers.js';

const run = promisify(execFile);

const [frames, clickhouse, onSpark] = await Promise.all([
  venv('frames', ['pandas==3.1.1', 'pyarrow==26.0.1', 'polars==2.1.0', 'numpy==2.4.6']),
  venv('clickhouse', ['chdb==4.4.0']),
  spark(),
]);
/** The last two are what the warehouse's suite makes, too. */
const environments = { frames, clickhouse, spark: onSpark };

/** What a library of Python reads, by the script `read_<name>.py`; or why it cannot be run here. */
export function byScript(name: string, environment: keyof typeof environments) {
  const made = environments[environment];
  const ask = async (asked: Asked, folder: string): Promise<Answers> => {
    if ('missing' in made) throw new Error(made.missing);
    return await askScript(made.python, name, asked, folder);
  };
  return { name, ask, ...('missing' in made && made) };
}

async function askScript(python: string, name: string, asked: Asked, folder: string): Promise<Answers> {
  const script = join(import.meta.dirname, `read_${name}.py`);
  const { stdout } = await run(python, [script, JSON.stringify(asked)], {
    cwd: folder,
    env: { ...process.env, ...SPARK_ENVIRONMENT, PYTHONDONTWRITEBYTECODE: '1' },
    maxBuffer: 512 * 1024 * 1024,
  });
  const answers = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  return {
    tables: answers.filter((answer) => 'rows' in answer),
    examples: answers.filter((answer) => 'example' in answer),
    traps: answers.filter((answer) => 'trap' in answer),
  };
}
