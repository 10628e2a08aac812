/** How many there were; not there, or not known. */
type Members = number | 'not_there' | 'not_read' | null;

/** A bar of a chart. */
export interface Bar {
  readonly key: string;
  readonly label: string;
  readonly members: number | null;
}

/** A point of a line, or a place where it is broken. */
export interface Point {
  readonly date: string;
  readonly members: Members;
}

/** Somebody in one organisation, which is a number in `organizations`. */
export type Person = readonly [
  id: string,
  name: string | null,
  email: string | null,
  organization: number,
  role: string | null,
];

/** What the scripts of a page show. They compute nothing: the tables beneath the charts have the same numbers. */
export interface PageData {
  readonly charts: {
    readonly organizations: readonly Bar[];
    readonly roles: readonly Bar[];
    readonly days: readonly Point[];
    readonly largest: readonly { readonly label: string; readonly days: readonly Point[] }[];
    readonly movements: readonly {
      readonly from: string;
      readonly to: string;
      readonly joined: number;
      readonly left: number;
    }[];
  };
  readonly people: {
    readonly organizations: readonly string[];
    readonly rows: readonly Person[];
  };
}
