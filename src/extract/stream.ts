import type { StreamSchema } from '../schema.js';

/** One kind of record that the API lists: what the registry in `index.ts` holds. */
export interface Stream<R> {
  /** Its name is the stream's. */
  readonly schema: StreamSchema;
  /** The scope that a key needs for it. */
  readonly scope: string;
  /** Whether there is a list for each organisation, or one list in all. */
  readonly perOrganization: boolean;
  /** Whether `limit` is sent; some contracts refuse it, and the server's default is then the most there is. */
  readonly sendsLimit: boolean;
  /** The path of its list. */
  path(organizationUuid?: string): string;
  /** @throws ProtocolError when the record cannot be known again */
  parse(json: unknown): R;
  /** What names a record within its list; duplicates are dropped by it. */
  keyOf(record: R): string;
}
