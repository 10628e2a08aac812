/** Writes NOTICE. */
import { writeFile } from 'node:fs/promises';
import { noticeText } from './text.js';

await writeFile(new URL('../NOTICE', import.meta.url), await noticeText());
