/** A setting that is never taken from a flag or a file of flags, which others can read. */
export interface Secret {
  /** The setting that names a file with it; the file has nothing else in it. */
  file: string;
  /** The setting that holds a command which prints it. */
  command?: string;
  /** The variables that hold it; the first that is set counts. */
  variables: readonly string[];
}

/** By setting. */
export const SECRETS: Readonly<Record<string, Secret>> = {
  apiKey: {
    file: 'apiKeyFile',
    command: 'apiKeyCommand',
    variables: ['ANTHROPIC_COMPLIANCE_ACCESS_KEY', 'ANTHROPIC_COMPLIANCE_API_KEY'],
  },
  pseudonymKey: { file: 'pseudonymKeyFile', variables: ['CLAUDE_COMPLIANCE_PSEUDONYM_KEY'] },
};

/** Settings that may have a secret in them: words of a command, the address of a ping, that of a database. */
const WITH_SECRETS = ['apiKeyCommand', 'onFinish', 'url'];

/** Whether the value of a setting is kept out of events. */
export const hasSecret = (key: string): boolean => key in SECRETS || WITH_SECRETS.includes(key);
