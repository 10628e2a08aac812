import { ofOrganization } from './of-organization.js';
import { defineStream, json, requiredText, type StreamRecord, text } from './stream.js';

/** Where the settings are, and the keys of the Compliance API beside them. */
export const SETTINGS_PATH = '/v1/compliance/organizations/{organization_uuid}/settings';

/** The settings that are in effect in each organisation. */
export const organizationSettings = defineStream({
  name: 'organization_settings',
  description:
    'The settings in effect in each organisation. One that is missing cannot be controlled by admins: it is not "off".',
  scope: 'read:compliance_org_data',
  path: SETTINGS_PATH,
  sendsLimit: false,
  list: 'settings',
  mayBeOff: true,
  parent: ofOrganization('The organisation that the setting is of.'),
  fields: [
    requiredText('name', 'The name of the setting.'),
    text(
      'type',
      'The type of its value: boolean, integer, string_list, data_retention and others; an open list.',
    ),
    json('value', 'The value as JSON. Null: no limit, or none, depending on the type.'),
  ],
  key: ['name'],
});

/** A setting of one organisation as the API served it. */
export interface OrganizationSetting extends StreamRecord<typeof organizationSettings> {}
