import { venv } from '../../python/venv.js';
import { type Started, startServerProcess } from './server-process.js';

/** An S3 server that honours conditional writes. It takes any credentials. */
export async function startMoto(): Promise<Started> {
  const made = await venv('storage', ['moto[server]==5.2.5']);
  if ('missing' in made) return made;
  return await startServerProcess(made.python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', '0']);
}

/** What a test opens a bucket on it with. */
export const motoOptions = (endpoint: string): Record<string, string> => ({
  endpoint,
  region: 'us-east-1',
  access_key_id: 'AKIAOFNOBODY',
  secret_access_key: 'a secret that opens nothing',
});

export async function createMotoBucket(endpoint: string, bucket: string): Promise<void> {
  const { status } = await fetch(`${endpoint}/${bucket}`, { method: 'PUT' });
  if (status !== 200) throw new Error(`moto did not make the bucket ${bucket}: HTTP ${status}`);
}
