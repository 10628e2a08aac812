import { randomBytes } from 'node:crypto';
import { sha256Of } from './json-file.js';
import type { Erasure, Manifest } from './manifest.js';

/** What stands for a person who was erased: it can be compared with an id, and the id cannot be found from it. */
export type ErasedPerson = Pick<Erasure, 'salt' | 'person_sha256'>;

/** All erasures of a root share a salt, so that one digest of an id is enough to look it up. */
export const newSalt = (): string => randomBytes(16).toString('hex');

export const erasedPerson = (salt: string, id: string): ErasedPerson => ({
  salt,
  person_sha256: sha256Of(`${salt} ${id}`),
});

/** The text that replaces a person in what stays: the same in every table and day. */
export const replacementOf = ({ person_sha256 }: ErasedPerson): string =>
  `erased_${person_sha256.slice(0, 32)}`;

/** Whether a user was erased from a snapshot. */
export function erasedFrom({ erasures = [] }: Pick<Manifest, 'erasures'>): (id: string) => boolean {
  const salts = new Set(erasures.map(({ salt }) => salt));
  const people = new Set(erasures.map(({ person_sha256 }) => person_sha256));
  return (id) => [...salts].some((salt) => people.has(erasedPerson(salt, id).person_sha256));
}
