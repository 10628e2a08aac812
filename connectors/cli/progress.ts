import { Presets, SingleBar } from 'cli-progress';
import { z } from 'zod';
import type { ComplianceEvent, OnEvent } from '../../src/index.js';
import type { Surroundings } from './command.js';
import { dataName } from './options.js';

export const progressSettings = z.object({
  progress: z
    .enum(['auto', 'bar', 'json', 'none'])
    .default('auto')
    .describe('On stderr. auto: a bar on a terminal, JSON lines elsewhere. none: silent but for errors.'),
});

/** Shows how a dump goes on. */
export interface Progress {
  onEvent: OnEvent;
  /** Leaves the terminal as it was; may be called twice. */
  close(): void;
}

type Kind = z.output<typeof progressSettings>['progress'];

export function openProgress(kind: Kind, { stderr, environment }: Surroundings): Progress {
  const settled = kind === 'auto' ? (stderr.isTTY ? 'bar' : 'json') : kind;
  if (settled === 'bar') return bar(stderr, environment);
  if (settled === 'json') return { onEvent: (event) => stderr.write(jsonLine(event)), close() {} };
  return { onEvent() {}, close() {} };
}

/** One event as a line; its keys are data, so they are in snake_case. */
function jsonLine(event: ComplianceEvent): string {
  const entries = Object.entries(event).map(([key, value]) => [dataName(key), value]);
  return `${JSON.stringify({ at: new Date().toISOString(), ...Object.fromEntries(entries) })}\n`;
}

/** Organisations done, users and users a second, and what is waited for. */
function bar(stderr: Surroundings['stderr'], environment: NodeJS.ProcessEnv): Progress {
  const isPlain = (environment.NO_COLOR ?? '') !== '';
  const [on, off] = isPlain ? ['', ''] : ['\u001B[36m', '\u001B[39m'];
  const view = new SingleBar(
    {
      stream: stderr,
      format: `${on}{bar}${off} {value}/{total} organisations · {pace} · {users} users`,
      barsize: 16, // until when it waits must be seen on 80 columns too
      hideCursor: true,
      clearOnComplete: true,
      etaBuffer: 50,
    },
    Presets.shades_classic,
  );
  const startedAt = performance.now();
  let users = 0;
  let note = '';
  let isOpen = false;
  const rate = () => Math.round((1000 * users) / Math.max(1, performance.now() - startedAt));
  const payload = () => ({
    users: users.toLocaleString('en-GB'),
    pace: note || `${rate().toLocaleString('en-GB')} users/s`,
  });
  const apply = (event: ComplianceEvent): void => {
    if (event.type === 'organizations-listed') {
      view.start(event.organizations, 0, payload());
      isOpen = true;
    } else if (event.type === 'page' && event.organizationUuid !== undefined) {
      users += event.records;
      note = '';
    } else if (event.type === 'waiting') {
      note = `waiting until ${new Date(event.until).toISOString().slice(11, 19)} for the budget`;
    } else if (event.type === 'retrying') {
      note = `trying again (${event.code})`;
    }
    if (!isOpen) return;
    if (event.type === 'slice-written' || event.type === 'slice-failed') view.increment(1, payload());
    else view.update(payload());
  };
  return {
    onEvent: apply,
    close() {
      if (isOpen) view.stop();
      isOpen = false;
    },
  };
}
