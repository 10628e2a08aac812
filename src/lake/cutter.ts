import { SinkError } from '../errors.js';
import type { Block } from '../sinks/regrouping.js';

/** Hands out rows by their number, whatever the blocks they come in. */
export function cutter(blocks: AsyncGenerator<Block>) {
  let open: Block | undefined;
  const next = async (): Promise<Block | undefined> => {
    while (open === undefined || open.rows === 0) {
      const { done, value } = await blocks.next();
      if (done) return undefined;
      open = value;
    }
    return open;
  };
  return {
    async *take(rows: number): AsyncGenerator<Block> {
      for (let left = rows; left > 0; ) {
        const block = await next();
        if (block === undefined) throw rowsDiffer(`${left} rows are missing`);
        const taken = block.slice(0, Math.min(left, block.rows));
        open = block.slice(taken.rows, block.rows);
        left -= taken.rows;
        yield taken;
      }
    },
    /** Reads on to the end all the same: what a file has to say of itself comes first. */
    async end(): Promise<void> {
      let rows = 0;
      for (let block = await next(); block; block = await next()) {
        rows += block.rows;
        open = undefined;
      }
      if (rows > 0) throw rowsDiffer(`${rows} rows are more than were counted`);
    },
  };
}

export const rowsDiffer = (what: string): SinkError =>
  new SinkError(`The rows of a table cannot be combined: ${what}. Nothing was changed.`, {
    code: 'rows_differ',
  });
