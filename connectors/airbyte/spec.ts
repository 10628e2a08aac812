import { z } from 'zod';
import { VERSION } from '../../src/index.js';
import { dataName } from '../kit/options.js';
import { sourceSettings } from './config.js';
import { type Message, PROTOCOL_VERSION } from './messages.js';

/** Our guide, as it is in the package of this version. */
export const DOCUMENTATION_URL = `https://app.unpkg.com/claude-compliance-connector@${VERSION}/files/connectors/airbyte/README.md`;

/** Examples of what a person may type, where the default is not one. */
const EXAMPLES: Readonly<Record<string, readonly unknown[]>> = {
  apiKey: ['sk-ant-api01-…'],
  baseUrl: ['https://api.anthropic.com', 'https://proxy.example.com/anthropic'],
  requestsPerMinute: [600, 300],
  budgetShare: [0.9, 0.5],
};

/** What `z.toJSONSchema` makes of a setting. */
interface Property extends Record<string, unknown> {
  default?: unknown;
  secret?: boolean;
}

/** The specification of the configuration, from the same schema as the flags of the command line. */
export function specMessage(): Message {
  const { properties = {}, required = [] } = z.toJSONSchema(sourceSettings, {
    io: 'input',
    unrepresentable: 'any',
  });
  return {
    type: 'SPEC',
    spec: {
      protocol_version: PROTOCOL_VERSION,
      documentationUrl: DOCUMENTATION_URL,
      connectionSpecification: {
        $schema: 'http://json-schema.org/draft-07/schema#',
        title: 'Claude Compliance',
        type: 'object',
        required: required.map(dataName),
        properties: Object.fromEntries(
          Object.entries(properties).map(([name, property], order) => [
            dataName(name),
            specProperty(name, property as Property, order),
          ]),
        ),
      },
    },
  };
}

function specProperty(name: string, { secret, ...property }: Property, order: number): object {
  const examples = EXAMPLES[name] ?? (property.default === undefined ? undefined : [property.default]);
  return { ...property, ...(secret && { airbyte_secret: true }), ...(examples && { examples }), order };
}
