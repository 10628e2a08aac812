import type { ProtocolError } from '../errors.js';
import { fault } from './envelope.js';

export const bodyEmpty = (): ProtocolError => fault('body_empty', 'is empty');

/** Without the error of the parser, which quotes the body: it may name people. */
export const notJson = (): ProtocolError => fault('body_not_json', 'is not JSON');

export const notUtf8 = (cause?: unknown): ProtocolError =>
  fault('body_not_utf8', 'is not valid UTF-8', cause);
