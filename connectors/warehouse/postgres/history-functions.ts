import type { HistoryFunctions } from '../ddl.js';
import { standardQuoting } from '../sql.js';

const { value } = standardQuoting;

export const postgresHistory: HistoryFunctions = {
  meaning: (json) => `CAST(${json} AS jsonb)`,
  meaningWithout(object, { texts, all }) {
    const members = [
      ...texts.map(
        (name) => `CASE WHEN json_typeof(${object} -> ${value(name)}) = 'string' THEN ${value(name)} END`,
      ),
      ...all.map((name) => value(name)),
    ];
    const left =
      members.length === 0
        ? ''
        : ` - array_remove(CAST(ARRAY[${members.join(', ')}] AS text[]), CAST(NULL AS text))`;
    return `NULLIF(CAST(${object} AS jsonb)${left}, '{}')`;
  },
  memberText: (object, name) =>
    `CASE WHEN json_typeof(${object} -> ${value(name)}) = 'string' THEN ${object} ->> ${value(name)} END`,
  lateDigits: (timestamp) => `rtrim(substring(${timestamp} FROM '\\.[0-9]{6}([0-9]*)'), '0')`,
  array: (texts) => `to_json(array_remove(CAST(ARRAY[${texts.join(', ')}] AS text[]), CAST(NULL AS text)))`,
};
