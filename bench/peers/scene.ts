/** Which directory is read, and how far away the server is. */
export interface Scene {
  organizations: number;
  usersOfEach: number;
  /** Milliseconds before each answer. */
  latency: number;
}

/** The directories of the document, each of 1,000,000 users. */
export const SIZES = ['40x25000', '1x1000000', '1000x1000'] as const;
/** The one that is measured unless another is asked for. */
export const DEFAULT_SIZE = SIZES[0];
/** Requests that every program may have in flight where answers take time; ours and the floors always have so many. */
export const IN_FLIGHT = 8;

/** @param size `40x25000` */
export function sceneOf(
  size: string,
  { latency = 0, users }: { latency?: number; users?: number } = {},
): Scene {
  const [organizations = 0, usersOfEach = 0] = size.split('x').map(Number);
  if (!(organizations > 0 && usersOfEach > 0)) throw new Error(`${size} is not a scene, as 40x25000 is`);
  const scaled = users === undefined ? usersOfEach : Math.max(1, Math.round(users / organizations));
  return { organizations, usersOfEach: scaled, latency };
}

export const usersIn = ({ organizations, usersOfEach }: Scene): number => organizations * usersOfEach;

/** What the scene is called in names of files: `40x25000-150ms`. */
export const slug = ({ organizations, usersOfEach, latency }: Scene): string =>
  `${organizations}x${usersOfEach}${latency === 0 ? '' : `-${latency}ms`}`;

const number = (value: number): string => value.toLocaleString('en-GB');

/** The same for people. */
export const describeScene = ({ organizations, usersOfEach, latency }: Scene): string =>
  `${number(organizations)} × ${number(usersOfEach)} users${latency === 0 ? '' : `, ${latency} ms before each answer`}`;

/** The least wall time, in seconds: all requests, as many in flight as may be. One organisation is one chain of requests. */
export const latencyBound = ({ organizations, latency }: Scene, requests: number): number =>
  (requests * latency) / 1000 / Math.min(IN_FLIGHT, organizations);
