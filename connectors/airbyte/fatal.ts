import type { ComplianceError } from '../../src/index.js';

/** What no other list of the stream can answer differently: the key is refused, or lacks the scope. */
export const isFatal = ({ code }: ComplianceError): boolean =>
  code === 'authentication_failed' || code === 'missing_scope';
