import { z } from 'zod';
import { flagName } from '../../connectors/kit/options.js';

type Property = Record<string, unknown> & { description?: string; default?: unknown };

/** The settings of one command that are flags. */
interface CommandFlags {
  name: string;
  settings: z.ZodObject;
}

/** The JSON Schema of a file that `--config` names: every flag of every command, without its dashes. */
export function configSchema(commands: readonly CommandFlags[]): object {
  const uses = new Map<string, { command: string; property: Property }[]>();
  for (const { name: command, settings } of commands) {
    const { properties = {} } = z.toJSONSchema(settings, { io: 'input', unrepresentable: 'any' });
    for (const [key, property] of Object.entries(properties as Record<string, Property>)) {
      const flag = flagName(key);
      uses.set(flag, [...(uses.get(flag) ?? []), { command, property }]);
    }
  }
  const flags = [...uses].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'A file for --config of claude-compliance-connector',
    description:
      'YAML or JSON: flags without their dashes. A file may serve several commands: each takes the flags that it has. page_size is read as page-size.',
    type: 'object',
    properties: {
      $schema: { type: 'string', description: 'Where this schema is; ignored.' },
      ...Object.fromEntries(flags.map(([flag, used]) => [flag, merged(used)])),
    },
    additionalProperties: false,
  };
}

/** One flag as its commands have it; where they differ, what any of them takes. */
function merged(uses: readonly { command: string; property: Property }[]): Property {
  const said = new Map<string, string[]>();
  const forms = new Map<string, Property>();
  const presets = new Set<string | undefined>();
  for (const { command, property } of uses) {
    const { description = '', default: preset, ...form } = property;
    said.set(description, [...(said.get(description) ?? []), command]);
    forms.set(JSON.stringify(form), taken(form));
    presets.add(JSON.stringify(preset));
  }
  const descriptions = [...said].map(([text, names]) =>
    said.size > 1 ? `${names.join(', ')}: ${text}` : text,
  );
  const [preset] = presets;
  const [first = {}, ...others] = forms.values();
  return {
    description: descriptions.join(' '),
    ...(presets.size === 1 && preset !== undefined && { default: JSON.parse(preset) }),
    ...(others.length === 0 ? first : { anyOf: [first, ...others] }),
  };
}

/** What the reader takes besides: one value where there may be several, and 640 for the text "640". */
function taken(form: Property): Property {
  if (form.type === 'array') return { anyOf: [form, taken(form.items as Property)] };
  const isAnyText = form.type === 'string' && !('enum' in form) && !('format' in form);
  return isAnyText ? { ...form, type: ['string', 'number'] } : form;
}
