import { defineStream, requiredText, type StreamRecord, text, timestamp } from './stream.js';

/** The organisations that the key covers, in the order served: by creation date, ascending. */
export const organizations = defineStream({
  name: 'organizations',
  description: 'The Claude organisations linked under the parent organisation that the key covers.',
  scope: 'read:compliance_org_data',
  path: '/v1/compliance/organizations',
  // The contract without pages refuses any parameter, and both serve 1,000 without one.
  sendsLimit: false,
  fields: [
    requiredText('uuid', 'The canonical id of the organisation.'),
    text('name', 'The name of the organisation.'),
    timestamp('created_at', 'When the organisation was created.'),
  ],
  key: ['uuid'],
  isDefault: true,
  isGuarded: true,
});

/** An organisation as the API served it. */
export interface Organization extends StreamRecord<typeof organizations> {}
