import { type Organization, parseOrganization } from '../records.js';
import { organizationsSchema } from '../schema.js';
import type { Stream } from './stream.js';

/** The organisations that the key covers. */
export const organizationsStream: Stream<Organization> = {
  schema: organizationsSchema,
  scope: 'read:compliance_org_data',
  perOrganization: false,
  // The contract without pages refuses any parameter, and both serve 1,000 without one.
  sendsLimit: false,
  path: () => '/v1/compliance/organizations',
  parse: parseOrganization,
  keyOf: ({ uuid }) => uuid,
};
