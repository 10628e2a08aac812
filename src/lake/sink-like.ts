import { createSink, inspectFile } from '../sinks/index.js';
import type { Storage } from '../storage/storage.js';
import type { FileEntry } from './manifest.js';
import { checkRegroups, type RegroupingSink } from './regroup.js';

/** What writes files like one that is there. @throws ConfigError `layout_not_supported` */
export async function sinkLike(
  file: FileEntry | undefined,
  format: string,
  storage: Storage,
): Promise<RegroupingSink> {
  const content = file && (await inspectFile(format, file.path, storage.read(file.path)));
  const sink = createSink(format, content?.compression ? { compression: content.compression } : {});
  checkRegroups(sink);
  return sink;
}
