import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { ConfigError, checkReview, EVIDENCE, writeReview } from '../../../src/index.js';
import { command } from '../../kit/command.js';
import { pseudonymSettings, pseudonymsOf } from '../../kit/pseudonyms.js';
import {
  fileModeSettings,
  openRoot,
  publishedSettings,
  rootSettings,
  stateSettings,
} from '../../kit/root.js';
import { reviewFindings } from '../review-findings.js';
import { bytesOf, checkLocal, identityProviderAt, packLines } from '../review-pack.js';
import { scratchOf } from '../row-output.js';

/** What the command answers when a review is not finished. */
const UNFINISHED = 3;

/** The access review: a pack for auditors, and what became of it. */
export const review = command({
  settings: z.object({
    out: z
      .string()
      .min(1)
      .optional()
      .describe('The local folder to write the pack to: one that is not there, or is empty.'),
    check: z
      .string()
      .min(1)
      .optional()
      .describe(
        'A filled-in population.csv to check instead: exit code 0 when all is decided and removed, otherwise 3.',
      ),
    root: publishedSettings.shape.out,
    runDate: z.iso.date().optional().describe('The day to review. Default: the newest.'),
    since: z.iso
      .date()
      .optional()
      .describe('The day of the last review, for what changed. Default: the complete snapshot before.'),
    idp: z
      .string()
      .min(1)
      .optional()
      .describe('The accounts of the identity provider: CSV with a column email or user name.'),
    ...pseudonymSettings.shape,
    evidence: z
      .string()
      .min(1)
      .optional()
      .describe('With --check: the evidence.json of the pack. Default: the one beside the file.'),
    limit: z.int().min(0).default(20).describe('With --check: lines for each kind of finding.'),
    fileMode: fileModeSettings.shape.fileMode,
    state: stateSettings.shape.state.describe(
      "A local folder for temporary files, in _staging below it. Default: the user's state folder.",
    ),
    ...rootSettings.shape,
  }),
  async run(settings, context) {
    const { out, check, root, runDate, since, idp } = settings;
    const places = { scratch: scratchOf(settings, context), signal: context.signal };
    const say = (lines: readonly string[]) => context.stdout.write(`${lines.join('\n')}\n`);
    const open = () => openRoot({ out: root, storageOption: settings.storageOption });
    if ((out === undefined) === (check === undefined))
      throw new ConfigError(
        'Give --out for a folder to write the pack to, or --check for a filled-in population.',
        {
          code: 'settings_invalid',
        },
      );
    if (out !== undefined) {
      checkLocal(out);
      const pseudonyms = pseudonymsOf(settings);
      const identityProvider = idp === undefined ? undefined : identityProviderAt(idp);
      const fileMode = Number.parseInt(settings.fileMode, 8);
      const storage = await open();
      say(
        packLines(
          out,
          await writeReview({
            storage,
            out,
            fileMode,
            runDate,
            since,
            identityProvider,
            pseudonyms,
            ...places,
          }),
        ),
      );
      return 0;
    }
    const findings = reviewFindings(settings.limit);
    const path = check as string;
    const checked = await checkReview({
      population: { bytes: bytesOf(path, '--check'), place: `--check ${path}` },
      evidence: await textOf(settings.evidence ?? join(dirname(path), EVIDENCE)),
      openRoot: open,
      onFinding: findings.add,
      ...places,
    });
    say(findings.lines(checked));
    return checked.findings > 0 ? UNFINISHED : 0;
  },
});

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    throw new ConfigError(
      `The evidence of the pack cannot be read: ${path} (${code}). Give its evidence.json by --evidence.`,
      { code: 'evidence_missing', cause },
    );
  }
}
