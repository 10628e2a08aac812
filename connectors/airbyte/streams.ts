import { organizationsStream } from './organizations.js';
import type { SourceStream } from './stream.js';
import { usersStream } from './users.js';

/** The streams of this source, in the order in which they are offered. A new one is a file and a line here. */
export const streams: readonly SourceStream[] = [organizationsStream, usersStream];
