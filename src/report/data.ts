import type { AccessReason } from '../access/schema.js';
import type { ChangeKind } from '../diff/changes.js';
import type { Manifest } from '../lake/manifest.js';
import type { PseudonymScheme } from '../model/pseudonyms.js';
import type { Json } from '../model/records.js';

/** How many a list held at some time. Nothing is counted of what was not read to its end. */
export type Count = number | 'not_there' | 'not_read';

/** One day, from the first one of a report to its last. Days are UTC. */
export interface ReportDay {
  readonly date: string;
  /** `no_snapshot`: nothing was published. `unreadable`: its manifest is missing, or was changed. */
  readonly status: Manifest['status'] | 'no_snapshot' | 'unreadable';
  /** Organisations, when their list was read. */
  readonly organizations: number | null;
  /** Members of all organisations, where every list was read; who is in two is counted twice. */
  readonly memberships: number | null;
  /** Of each of `largest`. */
  readonly members: readonly Count[];
}

/**
 * What became of the memberships between two neighbouring days of which all were read. There may be other days between them. The
 * later day has `joined` more and `left` fewer, where `unknown` is 0; who moved is in another organisation than before.
 */
export interface Movement {
  readonly from: string;
  readonly to: string;
  readonly joined: number;
  readonly left: number;
  readonly moved: number;
  /** Memberships whose role is more, or less privilege than before, as far as the roles are known. */
  readonly rose: number;
  readonly fell: number;
  /** Memberships of which it is not known, because somebody was erased from one of the days. */
  readonly unknown: number;
}

export interface OrganizationFigures {
  readonly uuid: string;
  readonly name: string | null;
  /** null: the list of its users was not read. */
  readonly members: number | null;
  /** Members by built-in role, in the order of `roles`. */
  readonly byRole: readonly number[];
  /** null: not known, because users or their roles were not read. */
  readonly hasOwner: boolean | null;
}

/** A list that may be too long to be shown. */
export interface Shown<T> {
  readonly rows: readonly T[];
  /** All that there are. */
  readonly total: number;
}

/** Somebody in one organisation. */
export interface Membership {
  readonly id: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly organization: string;
  readonly role: string | null;
}

/** Somebody in several organisations. */
export interface SeveralOrganizations extends Pick<Membership, 'id' | 'name' | 'email'> {
  readonly organizations: readonly string[];
}

/** A way in which somebody may do everything of a kind. */
export interface BlanketPermission extends Pick<Membership, 'id' | 'email'> {
  readonly organization: string | null;
  readonly group: string | null;
  readonly role: string | null;
  readonly action: string;
}

/** Somebody who is in groups, and in no organisation. */
export interface Orphan extends Pick<Membership, 'id' | 'email'> {
  readonly groups: readonly string[];
}

/** One value that a setting has. */
export interface SettingValue {
  readonly name: string;
  /** JSON. */
  readonly value: Json;
  /** The organisations in which it has this value. */
  readonly organizations: readonly string[];
}

/** What happened to a setting between two neighbouring days of which it is known. */
export interface SettingChange {
  readonly from: string;
  readonly to: string;
  readonly organization: string;
  readonly name: string;
  readonly change: ChangeKind;
  readonly field: string | null;
  readonly before: Json;
  readonly after: Json;
}

/** Something that was not read. */
export interface Gap {
  readonly date: string;
  /** null: the day as a whole. */
  readonly stream: string | null;
  /** The key of one list; null where it is about `lists` of them. */
  readonly list: string | null;
  readonly lists: number;
  readonly reason: string;
}

/** What a report shows. */
export interface ReportData {
  /** Where the snapshots are, without credentials. */
  readonly root: string;
  readonly runDate: string;
  readonly status: Manifest['status'];
  /** When the last page of the snapshot had been read. */
  readonly extractedAt: string;
  readonly pseudonyms: PseudonymScheme | null;
  /** Every day from the first one with a snapshot; those without one, too. */
  readonly days: readonly ReportDay[];
  /** The organisations with the most members. */
  readonly largest: readonly Pick<OrganizationFigures, 'uuid' | 'name'>[];
  readonly movements: readonly Movement[];
  /** Different people in the organisations that were read. */
  readonly people: number;
  /** Whether that is everybody. */
  readonly isEverybody: boolean;
  /** The built-in roles that members have, the most frequent first; null is one that was not served. */
  readonly roles: readonly (string | null)[];
  /** Those with the most members first, those that were not read last. */
  readonly organizations: readonly OrganizationFigures[];
  readonly admins: Shown<Membership>;
  readonly several: Shown<SeveralOrganizations>;
  /** `people`: the different people who have one. */
  readonly blanket: Shown<BlanketPermission> & { readonly people: number };
  readonly orphans: Shown<Orphan>;
  /** Rows of effective access that are unknown, by their reason. */
  readonly unknown: Readonly<Partial<Record<AccessReason, number>>>;
  /** null: the snapshot does not have them. */
  readonly settings: readonly SettingValue[] | null;
  readonly settingChanges: Shown<SettingChange>;
  readonly gaps: Shown<Gap>;
  /** Memberships, in an order that the ids of the people alone decide. */
  readonly memberships: Shown<Membership>;
}
