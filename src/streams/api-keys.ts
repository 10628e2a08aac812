import { SETTINGS_PATH } from './organization-settings.js';
import { organizations } from './organizations.js';
import {
  boolean,
  defineStream,
  jsonArray,
  requiredText,
  type StreamRecord,
  text,
  timestamp,
  userId,
} from './stream.js';

/** The keys of the Compliance API; the secret is never served. Every organisation's settings show the same list. */
export const apiKeys = defineStream({
  name: 'api_keys',
  description: 'The keys of the Compliance API of the parent organisation, without their secrets.',
  scope: 'read:compliance_org_data',
  path: SETTINGS_PATH,
  sendsLimit: false,
  list: 'api_keys',
  mayBeOff: true,
  through: { stream: organizations, column: 'organization_uuid' },
  fields: [
    requiredText('id', 'The id of the key.'),
    text('name', 'The name of the key.'),
    jsonArray('scopes', 'The scopes that the key has.'),
    boolean('is_active', 'Whether the key is accepted.'),
    timestamp('created_at', 'When the key was created.'),
    userId(text('created_by_id', 'The id of the user who created it; may be unknown.')),
    timestamp('expires_at', 'When the key expires; null: never.'),
  ],
  key: ['id'],
});

/** A key of the Compliance API as the API served it. */
export interface ApiKey extends StreamRecord<typeof apiKeys> {}
