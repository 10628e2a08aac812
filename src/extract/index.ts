import { organizationsStream } from './organizations.js';
import { usersStream } from './users.js';

/** Every stream of the connector; another one is a file beside these and a line here. */
export const streams = [organizationsStream, usersStream] as const;
