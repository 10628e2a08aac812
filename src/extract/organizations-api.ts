import { type Organization, organizations } from '../streams/organizations.js';
import { type User, users } from '../streams/users.js';
import type { AllOptions, CallOptions, ListOptions, ListPage, Lists, ResumeOptions } from './lists.js';
import type { Readable } from './readable.js';
import type { RecordPage } from './record-page.js';

/** One organisation's list; `parent` is made from its UUID. */
type OfOrganization<O> = Omit<O, 'parent'>;

/** `client.organizations`: the organisations that the key covers, and their users. */
export interface OrganizationsApi {
  /** Every organisation, in the order served. */
  list(options?: CallOptions): Promise<Organization[]>;
  /** Every organisation, one at a time. */
  iter(options?: CallOptions): AsyncIterable<Organization>;
  /** Every organisation, as a Readable in object mode. */
  stream(options?: CallOptions): Readable;
  /** The list of organisations page by page. */
  organizationPages(
    options?: Omit<ResumeOptions, 'parent' | 'limit'>,
  ): AsyncIterable<RecordPage<Organization>>;
  /** One page of users: exactly one request, but for retries. `limit` 1 to 1000, default the API's own (500). */
  listUsers(
    organizationUuid: string,
    options?: { limit?: number | undefined; page?: string | undefined } & CallOptions,
  ): Promise<ListPage<User>>;
  /** Every user of one organisation, once each, in the order served. */
  iterUsers(organizationUuid: string, options?: OfOrganization<ListOptions>): AsyncIterable<User>;
  /** The same as a Readable in object mode, at most one page ahead of its reader. */
  streamUsers(organizationUuid: string, options?: OfOrganization<ListOptions>): Readable;
  /**
   * The users of every organisation as one Readable of `OrganizationUser`s, several organisations at a time. One that is
   * unlinked meanwhile is reported by an event (`slice-failed`, `gone`) and left out; any other failure ends the stream.
   */
  streamAllUsers(options?: AllOptions): Readable;
  /** The users of one organisation page by page, each with the token to resume after it. */
  pages(organizationUuid: string, options?: OfOrganization<ResumeOptions>): AsyncIterable<RecordPage<User>>;
}

/** The organisations and their users, by names of their own, over the lists of any stream. */
export function organizationsApi(lists: Lists): OrganizationsApi {
  const of = <O extends object>(organization_uuid: string, options?: O) => ({
    ...options,
    parent: { organization_uuid },
  });
  return {
    async list(options) {
      const listed: Organization[] = [];
      for await (const organization of lists.records(organizations, options)) listed.push(organization);
      return listed;
    },
    iter: (options) => lists.records(organizations, options),
    stream: (options) => lists.readable(organizations, options),
    organizationPages: (options) => lists.pages(organizations, options),
    listUsers: (uuid, options) => lists.page(users, of(uuid, options)),
    iterUsers: (uuid, options) => lists.records(users, of(uuid, options)),
    streamUsers: (uuid, options) => lists.readable(users, of(uuid, options)),
    streamAllUsers: (options) => lists.all(users, options),
    pages: (uuid, options) => lists.pages(users, of(uuid, options)),
  };
}
