import { z } from 'zod';
import { type Stream, streams } from '../../src/index.js';

/** A stream by its name, as the word after a command. */
export const streamChoice = z.enum(streams.map(({ name }) => name) as [string, ...string[]]);

/** The stream of a checked name. */
export const streamOf = (name: string): Stream => streams.find((stream) => stream.name === name) as Stream;
