import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DOCUMENTATION_URL } from '../../connectors/airbyte/spec.js';
import { clientSettings, streams } from '../../src/index.js';
import { chain, ROOT, readDockerfile } from './dockerfile.js';

const connector = (name: string) => readFileSync(resolve(ROOT, 'connectors/airbyte', name), 'utf8');
const { name, version, bin } = JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8'));
const stages = readDockerfile();
const airbyte = chain(stages, 'airbyte');
const instructions = airbyte.flatMap(({ instructions }) => instructions);
const only = (name: string) =>
  instructions.filter((instruction) => instruction.name === name).map(({ value }) => value);

/** `key: value` of a YAML file that is as plain as ours. */
const metadata = (key: string) =>
  new RegExp(`^ +${key}: "?(.*?)"?$`, 'm').exec(connector('metadata.yaml'))?.[1];

describe('the image', () => {
  it('starts what AIRBYTE_ENTRYPOINT names, which is what npm installs', () => {
    const [entrypoint = '[]'] = only('ENTRYPOINT');
    const command = JSON.parse(entrypoint) as string[];
    const [, named] = only('ENV').map((value) => /^AIRBYTE_ENTRYPOINT="(.*)"$/.exec(value)?.[1]);
    expect(command.join(' ')).toBe(named);
    expect(command).toEqual(['node', resolve('/app', bin['source-claude-compliance'])]);
  });

  it('is labelled with the name and the version of the metadata and the package', () => {
    expect(only('LABEL').join(' ')).toBe(
      `io.airbyte.name="${metadata('dockerRepository')}" io.airbyte.version="${version}"`,
    );
    expect(metadata('dockerImageTag')).toBe(version);
  });

  it('does not run as root, and is built from pinned images', () => {
    expect(only('USER')).toEqual(['1000:1000']);
    const names = stages.map(({ name }) => name);
    const images = stages.map(({ from }) => from).filter((from) => !names.includes(from));
    for (const image of images) expect(image).toMatch(/^node:\d+\.\d+-bookworm-slim$/);
  });
});

describe('the metadata', () => {
  it('allows the default host, and any that the configuration names', () => {
    const { host } = new URL(clientSettings.shape.baseUrl.parse(undefined));
    expect(connector('metadata.yaml')).toMatch(new RegExp(`hosts:\\s+- "\\$\\{base_url\\}"\\s+- ${host}\\n`));
  });

  it('points, as the specification does, at our guide in the package of this version', () => {
    const [, guide = ''] = DOCUMENTATION_URL.split(`${name}@${version}/files/`);
    expect(readFileSync(resolve(ROOT, guide), 'utf8')).toMatch(/^# The Airbyte source/);
    expect(metadata('documentationUrl')).toBe(DOCUMENTATION_URL);
  });

  it('suggests the default streams, and has an icon', () => {
    const suggested = /suggestedStreams:\s+streams:\s+((?: +- \w+\n)+)/.exec(connector('metadata.yaml'))?.[1];
    expect(suggested?.match(/\w+/g)).toEqual(
      streams.filter(({ isDefault }) => isDefault).map(({ name }) => name),
    );
    expect(connector(metadata('icon') ?? '')).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
  });
});
