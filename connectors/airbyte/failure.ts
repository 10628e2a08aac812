import { ComplianceError } from '../../src/index.js';
import { failureType, type TraceError } from './messages.js';

/** What a TRACE ERROR says of an error; never a value that it carries. */
export function traceOf(error: unknown, stream?: string): TraceError {
  const descriptor = stream === undefined ? {} : { stream_descriptor: { name: stream } };
  if (error instanceof ComplianceError) {
    const { message, code, failure, name } = error;
    const internal_message = `${name} [${code}]`;
    return { message, internal_message, failure_type: failureType(failure), ...descriptor };
  }
  const { name, stack = '' } = error instanceof Error ? error : new TypeError('not an error');
  return {
    message: 'This is a bug in the connector. Please report it, with its stack trace.',
    internal_message: name,
    // The frames alone: the first line quotes the message, which may quote data.
    stack_trace: stack
      .split('\n')
      .filter((line) => /^\s+at /.test(line))
      .join('\n'),
    failure_type: 'system_error',
    ...descriptor,
  };
}
