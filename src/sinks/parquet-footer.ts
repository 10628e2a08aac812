/**
 * Reads how many rows a Parquet file says it has, from its last bytes: a length and `PAR1`, before them the
 * metadata in Thrift's compact protocol, whose third field is that number. Undefined when there is no footer.
 */
export function rowsOfFooter(lastBytes: Buffer): number | undefined {
  const end = lastBytes.length - 8;
  if (end < 0 || lastBytes.toString('latin1', end + 4) !== 'PAR1') return undefined;
  const start = end - lastBytes.readUInt32LE(end);
  return start < 0 ? undefined : thirdField(lastBytes.subarray(start, end));
}

const NUM_ROWS = 3;

function thirdField(metadata: Buffer): number | undefined {
  let at = 0;

  const byte = (): number => {
    const value = metadata[at];
    if (value === undefined) throw new RangeError('The metadata of the Parquet file is truncated.');
    at += 1;
    return value;
  };
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const bits = byte();
      value |= BigInt(bits & 0x7f) << shift;
      if (bits < 0x80) return value;
    }
  };
  const skip = (type: number): void => {
    if (type === 1 || type === 2) return; // a boolean: its value is the type
    if (type === 3) at += 1;
    else if (type <= 6) varint();
    else if (type === 7) at += 8;
    else if (type === 8) skipText();
    else if (type === 9 || type === 10) skipList();
    else if (type === 12) fields(() => false);
    else throw new RangeError(`The metadata of the Parquet file has a value of the unknown type ${type}.`);
  };
  const skipText = (): void => {
    const length = Number(varint());
    at += length;
  };
  const skipList = (): void => {
    const header = byte();
    const length = header >> 4 === 15 ? Number(varint()) : header >> 4;
    const type = header & 15;
    for (let i = 0; i < length; i += 1) type <= 2 ? byte() : skip(type);
  };
  /** Walks the fields of a struct until `found` says so; false at its end. */
  const fields = (found: (id: number) => boolean): boolean => {
    for (let id = 0; ; ) {
      const header = byte();
      if (header === 0) return false;
      id = header >> 4 === 0 ? Number(varint() >> 1n) : id + (header >> 4);
      if (found(id)) return true;
      skip(header & 15);
    }
  };

  return fields((id) => id === NUM_ROWS) ? Number(varint() >> 1n) : undefined;
}
