import type { Command } from '../../kit/command.js';
import { load } from '../../warehouse/load.js';
import { access } from './access.js';
import { check } from './check.js';
import { compact } from './compact.js';
import { dump } from './dump.js';
import { preview } from './preview.js';
import { prune } from './prune.js';
import { schema } from './schema.js';
import { verify } from './verify.js';

/** A new command is one file and one line here. */
export const commands: readonly Command[] = [
  dump,
  check,
  preview,
  schema,
  access,
  verify,
  compact,
  prune,
  load,
];
