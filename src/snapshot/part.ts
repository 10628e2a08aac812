import { SinkError } from '../errors.js';
import type { Row } from '../rows.js';
import type { StreamSchema } from '../schema.js';
import type { Sink } from '../sinks/sink.js';
import type { Written } from '../storage/storage.js';
import { Channel } from './channel.js';
import type { FileEntry } from './manifest.js';
import { partName } from './partition.js';
import type { StagedFiles, Staging } from './staging.js';

interface PartRequest {
  schema: StreamSchema;
  sinks: readonly Sink[];
  staging: Staging;
  /** Below the staging of a format: `users/org_uuid=…`. */
  folder: string;
  /** The date folder and what follows, as it will be below the root. */
  finalFolder: string;
  index: number;
}

/** One file under way, once for each format. */
export class Part {
  rows = 0;
  readonly #encodings: {
    format: string;
    path: string;
    channel: Channel<readonly Row[]>;
    written: Promise<Written>;
  }[];

  constructor({ schema, sinks, staging, folder, finalFolder, index }: PartRequest) {
    this.#encodings = sinks.map((sink) => {
      const channel = new Channel<readonly Row[]>();
      const name = partName(index, sink.extension);
      const written = staging.files.stage(`${sink.format}/${folder}${name}`, sink.encode(schema, channel));
      // The next `add` or `close` throws it; a sink that is done before it has taken every row has lost some.
      written.then(() => channel.close(endedEarly(sink)), channel.close.bind(channel));
      return { format: sink.format, path: `${finalFolder}${name}`, channel, written };
    });
  }

  /** Resolves when every format has taken the rows: the slowest sets the pace. */
  async add(rows: readonly Row[]): Promise<void> {
    await Promise.all(this.#encodings.map(({ channel }) => channel.send(rows)));
    this.rows += rows.length;
  }

  /** The file is whole and on the disk. */
  async close(): Promise<StagedFiles> {
    const files: Record<string, FileEntry[]> = {};
    for (const { channel } of this.#encodings) channel.end();
    for (const { format, path, written } of this.#encodings) {
      files[format] = [{ path, rows: this.rows, ...(await written) }];
    }
    return files;
  }

  /** Lets go of the file; what lies of it is written over or dropped with the staging. */
  async abandon(reason: unknown): Promise<void> {
    for (const { channel } of this.#encodings) channel.end(reason);
    await Promise.allSettled(this.#encodings.map(({ written }) => written));
  }
}

const endedEarly = ({ format }: Sink): SinkError =>
  new SinkError(`The sink ${format} ended a file before it had taken every row of it.`, {
    code: 'sink_ended_early',
  });
