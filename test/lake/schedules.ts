import { parse, parseAllDocuments } from 'yaml';
import { lakeFile, type Machine, type Started } from './machine.js';

/** One of the schedules of `connectors/lake`, read from its file. */
export interface Schedule {
  name: string;
  /** What it starts for a tenant, as its own scheduler would. */
  start(machine: Machine, tenant: string): Promise<Started>;
  /** Whether it starts again after an exit code; undefined when what it starts does that by itself. */
  startsAgain?: (exitCode: number) => Promise<boolean>;
}

/** A line of cron.d: five fields of time, the user, and the rest for the shell. */
const cron: Schedule = {
  name: 'cron',
  async start(machine, tenant) {
    const line = (await lakeFile('cron/claude-compliance-connector')).trim().split('\n').at(-1) ?? '';
    const command = line.split(' ').slice(6).join(' ').replaceAll('acme', tenant);
    return { argv: ['/bin/sh', '-c', machine.moved(command)] };
  },
};

/** The value of a key of a unit; a list that is set once. */
export const unitValue = (unit: string, key: string): string =>
  new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1] ?? '';

const SERVICE = 'systemd/claude-compliance-connector@.service';

const systemd: Schedule = {
  name: 'systemd',
  async start(machine, tenant) {
    const unit = await lakeFile(SERVICE);
    const [credential, keyFile = ''] = unitValue(unit, 'LoadCredential').split(':');
    const credentials = `${machine.folder}/credentials`;
    const copy = `mkdir -p ${credentials} && cp ${machine.moved(keyFile)} ${credentials}/${credential}`;
    const command = machine.moved(unitValue(unit, 'ExecStart')).replaceAll('%d', credentials);
    return { argv: ['/bin/sh', '-c', `${copy} && exec ${command}`.replaceAll('%i', tenant)] };
  },
  async startsAgain(exitCode) {
    const unit = await lakeFile(SERVICE);
    const never = unitValue(unit, 'RestartPreventExitStatus').split(' ').map(Number);
    return unitValue(unit, 'Restart') === 'on-failure' && exitCode !== 0 && !never.includes(exitCode);
  },
};

interface Rule {
  action: string;
  onExitCodes?: { containerName: string; operator: 'In' | 'NotIn'; values: number[] };
}

interface CronJob {
  kind: string;
  data: Record<string, string>;
  spec: {
    jobTemplate: {
      spec: {
        podFailurePolicy: { rules: Rule[] };
        template: {
          spec: {
            securityContext: { runAsNonRoot: boolean; runAsUser: number; runAsGroup: number };
            containers: { name: string; args: string[] }[];
          };
        };
      };
    };
  };
}

/** The documents of a file, by kind. */
export async function kubernetesObject(file: string, kind: string): Promise<CronJob> {
  const documents = parseAllDocuments(await lakeFile(`kubernetes/${file}`));
  const found = documents.map((document) => document.toJS() as CronJob).find((one) => one.kind === kind);
  if (!found) throw new Error(`${file} has no ${kind}`);
  return found;
}

/** The image enters by the command; what follows it are the pod's arguments. */
function kubernetes(file: string, configuration: string): Schedule {
  const job = async () => (await kubernetesObject(file, 'CronJob')).spec.jobTemplate.spec;
  return {
    name: `kubernetes/${file}`,
    async start(machine, tenant) {
      const [container] = (await job()).template.spec.containers;
      const args = (container?.args ?? []).map((arg) =>
        machine.moved(arg).replace(`/${configuration}.json`, `/${tenant}.json`),
      );
      return { argv: ['claude-compliance-connector', ...args] };
    },
    async startsAgain(exitCode) {
      const { podFailurePolicy, template } = await job();
      const name = template.spec.containers[0]?.name;
      const rule = podFailurePolicy.rules.find(
        ({ onExitCodes }) => onExitCodes?.containerName === name && onExitCodes?.values.includes(exitCode),
      );
      return exitCode !== 0 && (rule?.action ?? 'Count') === 'Count';
    },
  };
}

const github: Schedule = {
  name: 'github',
  async start({ folder }, tenant) {
    const workflow = parse(await lakeFile('github/claude-compliance-connector.yml'));
    const { run } = workflow.jobs.dump.steps.at(-1) as { run: string };
    const command = run.replace(
      'claude-compliance-connector.json',
      `${folder}/etc/claude-compliance-connector/${tenant}.json`,
    );
    return { argv: ['bash', '--noprofile', '--norc', '-eo', 'pipefail', '-c', command] };
  },
};

/** Those that can be run here by a shell and what is known of their scheduler; Airflow runs its own. */
export const schedules: readonly Schedule[] = [
  cron,
  systemd,
  kubernetes('cronjob.yaml', 'config'),
  kubernetes('indexed-cronjob.yaml', '$(JOB_COMPLETION_INDEX)'),
  github,
];
