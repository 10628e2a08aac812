import type { Organization, User } from '../records.js';
import type { Fingerprints } from './fingerprints.js';
import type { Readable } from './readable.js';
import type { RecordPage } from './walk.js';

/** A page of users, with the token that continues after it. */
export type UserPage = RecordPage<User>;

/** A page of organisations, with the token that continues after it. */
export type OrganizationPage = RecordPage<Organization>;

/** One page of users as the API frames it. */
export interface UserList {
  data: User[];
  has_more: boolean;
  /** What `page` takes to go on; null at the end. */
  next_page: string | null;
}

/** What every call takes. */
export interface CallOptions {
  /** Ends the call, its waits included, at once. */
  signal?: AbortSignal | undefined;
}

/** What a walk of one organisation's users takes. */
export interface UserWalkOptions extends CallOptions {
  /** Users a page, 1 to 1000; default: the client's `pageSize`. */
  limit?: number | undefined;
}

/** What a walk takes that somebody else began. */
export interface ResumeOptions extends UserWalkOptions {
  /** The `next` of the last page that was dealt with. */
  from?: string | undefined;
  /** The keys handed out before, and from now on. */
  seen?: Fingerprints | undefined;
}

/** What `listUsers` takes. */
export interface UserListOptions extends CallOptions {
  /** 1 to 1000; default: the API's own, 500. */
  limit?: number | undefined;
  /** `next_page` of the page before. */
  page?: string | undefined;
}

/** What `streamAllUsers` takes. */
export interface AllUsersOptions extends UserWalkOptions {
  /** Organisations read at a time, 1 to 64; default 8. */
  concurrency?: number | undefined;
}

/** `client.organizations`: the organisations that the key covers, and their users. */
export interface OrganizationsApi {
  /** Every organisation, in the order served. */
  list(options?: CallOptions): Promise<Organization[]>;
  /** Every organisation, one at a time. */
  iter(options?: CallOptions): AsyncIterable<Organization>;
  /** Every organisation, as a Readable in object mode. */
  stream(options?: CallOptions): Readable;
  /** The list of organisations page by page. */
  organizationPages(options?: Omit<ResumeOptions, 'limit'>): AsyncIterable<OrganizationPage>;
  /** One page of users: exactly one request, but for retries. */
  listUsers(organizationUuid: string, options?: UserListOptions): Promise<UserList>;
  /** Every user of one organisation, once each, in the order served. */
  iterUsers(organizationUuid: string, options?: UserWalkOptions): AsyncIterable<User>;
  /** The same as a Readable in object mode, at most one page ahead of its reader. */
  streamUsers(organizationUuid: string, options?: UserWalkOptions): Readable;
  /**
   * The users of every organisation as one Readable of `OrganizationUser`s, several organisations at a time. One that is
   * unlinked meanwhile is told by an event (`slice-failed`, `gone`) and passed over; any other failure ends the stream.
   */
  streamAllUsers(options?: AllUsersOptions): Readable;
  /** The users of one organisation page by page, each with the token to resume after it. */
  pages(organizationUuid: string, options?: ResumeOptions): AsyncIterable<UserPage>;
}
