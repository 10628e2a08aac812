/** What is recorded in the place of an id that has no id's form. */
export const MALFORMED = 'malformed';

/** Of the API (`req_` and up to 64 letters and digits), or a UUID, as proxies of one's own give them. */
const REQUEST_ID = /^(?:req_[A-Za-z0-9]{1,64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

/**
 * The id of a request as it may be recorded. It goes into manifests, events and messages, and whoever answers decides what it
 * says: text of another form might be the key that was sent, or an address, so `malformed` takes its place.
 * @param secrets what it may not be, whatever its form
 */
export function requestIdOf(served: string | undefined, secrets: readonly string[] = []): string | undefined {
  if (served === undefined) return undefined;
  return REQUEST_ID.test(served) && !secrets.includes(served) ? served : MALFORMED;
}

/** Names a request within a sentence: ` (request req_011…)`, or nothing. */
export const requestNamed = (requestId: string | undefined): string =>
  requestId === undefined ? '' : ` (request ${requestId})`;
