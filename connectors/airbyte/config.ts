import { z } from 'zod';
import { ConfigError, clientSettings, snapshotSettings } from '../../src/index.js';
import { dataName } from '../kit/options.js';

/** The settings of this source: all of the client's, and how many lists are read at a time. */
export const sourceSettings = z.object({
  ...clientSettings.shape,
  concurrency: snapshotSettings.shape.concurrency.meta({
    title: 'Concurrency',
    description: snapshotSettings.shape.concurrency.description,
  }),
});

export type SourceSettings = z.output<typeof sourceSettings>;

/** Settings, and the keys of the configuration that are not known. */
export interface Config {
  settings: SourceSettings;
  unknown: string[];
}

/**
 * The settings in a configuration. Keys that begin with `_` are ignored; null is "not given"; all mistakes
 * are reported at once, and never a value.
 * @throws ConfigError `config_invalid`
 */
export function parseConfig(json: unknown): Config {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new ConfigError('The configuration is not a JSON object.', { code: 'config_invalid' });
  }
  const given = Object.entries(json).filter(([key, value]) => !key.startsWith('_') && value !== null);
  const names = new Map(Object.keys(sourceSettings.shape).map((name) => [dataName(name), name]));
  const known = given.filter(([key]) => names.has(key)).map(([key, value]) => [names.get(key), value]);
  const unknown = given.map(([key]) => key).filter((key) => !names.has(key));

  const parsed = sourceSettings.safeParse(Object.fromEntries(known));
  if (parsed.success) return { settings: parsed.data, unknown };
  const mistakes = parsed.error.issues.map(
    ({ path, message }) => `\`${path.map((key) => dataName(String(key))).join('.')}\`: ${message}`,
  );
  const ignored = unknown.length === 0 ? '' : ` Not known: ${unknown.map(quote).join(', ')}.`;
  throw new ConfigError(`The configuration is not valid. ${mistakes.join('; ')}.${ignored}`, {
    code: 'config_invalid',
  });
}

/** A long name is shortened: somebody may have pasted a key where its name belongs. */
export const quote = (key: string): string => `\`${key.length <= 30 ? key : `${key.slice(0, 12)}…`}\``;
