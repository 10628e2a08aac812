import { newestWith, readLog } from '../../../src/index.js';
import type { Context } from '../../kit/command.js';
import { connect } from '../../kit/connection.js';
import { count, counted } from '../../kit/counts.js';
import { printable } from '../../kit/printable.js';
import { openWaiting } from '../../kit/waiting.js';
import { type Cost, type CostRequest, costsOf } from '../cost.js';
import type { DumpSettings } from './dump-settings.js';
import { targetsOf } from './dump-targets.js';

/** Prints what a dump would cost, stream by stream, and which of these numbers are exact. */
export async function dryRun(settings: DumpSettings, context: Context): Promise<number> {
  const { out, org, streams: asked, requestsPerMinute, budgetShare, json } = settings;
  const { stdout } = context;
  const waiting = openWaiting(context);
  await using client = connect(settings, context, { ...waiting, failUnreachable: true });
  const request: CostRequest = {
    client,
    asked,
    org,
    async newest({ name }) {
      const [target] = out === '-' ? [] : await targetsOf(settings);
      if (!target) return undefined;
      const { storage } = target;
      const log = await readLog(storage);
      return await newestWith({ storage, log, streams: [name], skipUnreadable: true });
    },
  };
  const { costs, spent, listed } = await waiting.during(`asking ${client.baseUrl} what there is`, () =>
    costsOf(request),
  );
  // The local limit, or what the API has just granted if that is less.
  const perMinute = Math.min(
    requestsPerMinute || Number.POSITIVE_INFINITY,
    (client.rateLimit?.limit ?? Number.POSITIVE_INFINITY) * budgetShare,
  );
  if (json) {
    const streams = costs.map(({ stream, ...cost }) => ({ stream: stream.name, ...cost }));
    const pace = Number.isFinite(perMinute) ? { requests_per_minute: Math.floor(perMinute) } : {};
    stdout.write(`${JSON.stringify({ organizations: listed, streams, ...pace, requests_spent: spent })}\n`);
    return 0;
  }
  for (const { uuid, name } of listed)
    stdout.write(`${uuid}  ${printable(name ?? '')}`.trimEnd().concat('\n'));
  stdout.write(`${table(costs, perMinute)}\n${total(costs, perMinute)}\n`);
  stdout.write(`Nothing was written. This dry run took ${counted(spent, 'request')}.\n`);
  return 0;
}

function table(costs: readonly Cost[], perMinute: number): string {
  const rows = costs.map(({ stream, requests, certainty, why }) => {
    if (certainty === 'unknown') return [stream.name, certainty, '', why];
    return [stream.name, `${certainty} ${count(requests)}`, minutes(requests, perMinute), why];
  });
  const lines = [['stream', 'requests', 'minutes', ''], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const padded = lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)));
  return padded.map((line) => line.join('  ').trimEnd()).join('\n');
}

/** What is taken from an earlier snapshot, and what is unknown, is named: the sum is no lower bound with it. */
function total(costs: readonly Cost[], perMinute: number): string {
  const sure = costs.filter(({ certainty }) => certainty === 'exactly' || certainty === 'at least');
  const about = costs.filter(({ certainty }) => certainty === 'about');
  const unknown = costs.filter(({ certainty }) => certainty === 'unknown');
  const isExact = costs.every(({ certainty }) => certainty === 'exactly');
  const parts = [`${isExact ? '' : 'at least '}${counted(sum(sure), 'request')}`];
  if (about.length > 0) parts.push(`about ${count(sum(about))} more for ${names(about)}`);
  if (unknown.length > 0) parts.push(`an unknown number more for ${names(unknown)}`);
  const pace = Number.isFinite(perMinute)
    ? `; ${minutes(sum(costs), perMinute)} minutes at ${count(Math.floor(perMinute))} requests a minute`
    : '';
  return `Total: ${parts.join(', ')}${pace}${isExact || pace === '' ? '' : ', or more'}.`;
}

const sum = (costs: readonly Cost[]): number => costs.reduce((all, { requests }) => all + requests, 0);

const names = (costs: readonly Cost[]): string => costs.map(({ stream }) => stream.name).join(', ');

/** Empty where nothing limits the pace. */
function minutes(requests: number, perMinute: number): string {
  if (!Number.isFinite(perMinute)) return '';
  const exact = requests / perMinute;
  return exact > 0 && exact < 0.1 ? '< 0.1' : exact.toFixed(1);
}
