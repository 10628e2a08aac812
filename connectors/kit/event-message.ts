import type { ComplianceEvent } from '../../src/index.js';
import { count, counted } from './counts.js';
import type { EventFields, Level } from './event-line.js';
import { unavailableLine } from './unavailable.js';

/** An event of the library as `--progress json` has it: with a level, a sentence, and one form of time. */
export function eventFields(event: ComplianceEvent): EventFields {
  const until = 'until' in event ? { until: new Date(event.until).toISOString() } : {};
  return { level: levelOf(event), ...event, ...until, message: messageOf(event) };
}

function levelOf(event: ComplianceEvent): Level {
  if (event.type === 'slice-failed') return event.verdict === 'failed' ? 'error' : 'warn';
  return event.type === 'retrying' || event.type === 'walk-restarted' ? 'warn' : 'info';
}

function messageOf(event: ComplianceEvent): string {
  switch (event.type) {
    case 'run-started':
      return event.isResumed
        ? `An unfinished run of ${event.runDate} is resumed.`
        : `The run of ${event.runDate} begins.`;
    case 'page':
      return `A page with ${counted(event.records, 'record')} was read.`;
    case 'waiting':
      return `No request is sent before ${new Date(event.until).toISOString()}: ${event.reason === 'budget' ? 'the budget is used up' : 'the API asked to wait'}.`;
    case 'retrying':
      return `Attempt ${event.attempt} failed (${event.code}); it is repeated at ${new Date(event.until).toISOString()}.`;
    case 'duplicates':
      return `${counted(event.dropped, 'record')} dropped, which the API served again${event.differing > 0 ? `; ${count(event.differing)} of them with other values` : ''}.`;
    case 'walk-restarted':
      return 'A page token was no longer accepted: the list is read again from its start.';
    case 'slices-listed':
      return `${count(event.open)} of ${counted(event.slices, 'list')} are still to be read.`;
    case 'slice-written':
      return `A list with ${counted(event.rows, 'row')} was read.`;
    case 'slice-failed':
      return event.message;
    case 'lists-unavailable':
      return `${unavailableLine(event)}.`;
    case 'published':
      return `The ${event.status} snapshot of ${event.runDate} is published.`;
  }
}
