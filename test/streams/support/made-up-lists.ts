import { changed } from '../../../fixtures/api/awkward.js';
import { withProto } from '../../../fixtures/api/awkward-values.js';
import { hashText } from '../../../fixtures/api/hash.js';
import type { CreateList } from '../../../fixtures/api/index.js';
import { type List, noOrganization, perOrganization } from '../../../fixtures/api/lists/list.js';
import { pathTemplate } from '../../../fixtures/api/path-template.js';
import { createSequence, type Sequence } from '../../../fixtures/api/sequence.js';
import { badges } from '../made-up/badges.js';
import { grants } from '../made-up/grants.js';

const COMMON = {
  scopes: ['read:compliance_org_data'],
  limit: { default: 500, max: 1000 },
} as const satisfies Partial<List>;

/** As the fixture calls the first id of its paths. */
const served = (path: string) => pathTemplate(path.replace('{organization_uuid}', '{org_uuid}'));

const TIMES = ['2025-03-12T18:22:41.123456', '2025-03-12T18:22:41.5Z', null, 'soon', undefined, 7];
const UNKNOWN = [
  {},
  { unknown: ['list', { deep: null }], 'with "quotes"': 'a\nb' },
  withProto({ polluted: true }),
  { organization_uuid: 'a column of ours', role_id: 7, snapshot_date: '1999-01-01', extra: { extra: 1 } },
];

/** Records of every form: unknown fields, values of a wrong type, times with and without an offset. */
const recordAt = (index: number, key: object, label: string, time: string): string =>
  changed(
    JSON.stringify({
      ...key,
      [label]: [`${label} "${index}", \n=1`, null, undefined, { text: 'nested' }][index % 4],
      [time]: TIMES[index % TIMES.length],
    }),
    UNKNOWN[index % UNKNOWN.length],
  );

/** The second organisation has none. Neither field of the key is unique. */
const badgesOf: CreateList = (directory) => ({
  ...COMMON,
  name: badges.name,
  path: served(badges.path),
  sequence: perOrganization(directory, ({ number }) =>
    createSequence(number === 1 ? 0 : 12 + number, (index) =>
      recordAt(index, { series: `S${index % 3}`, number: `${index >> 1}` }, 'label', 'issued_at'),
    ),
  ),
});

/** Below every role of an organisation; some have none. */
const grantsOf: CreateList = (directory) => {
  const sequences = new Map<string, Sequence>();
  return {
    ...COMMON,
    name: grants.name,
    path: served(grants.path),
    sequence({ org_uuid: uuid, role_id: role }) {
      if (!directory.find(uuid)) return noOrganization(uuid);
      const list = `${uuid}/${role}`;
      const sequence =
        sequences.get(list) ??
        createSequence(hashText(1, list) % 6, (index) =>
          recordAt(index, { action: `action_${index}` }, 'note', 'granted_at'),
        );
      sequences.set(list, sequence);
      return sequence;
    },
  };
};

/** The lists of the made-up streams, which the fixture serves beside those of the API. */
export const madeUpLists: readonly CreateList[] = [badgesOf, grantsOf];
