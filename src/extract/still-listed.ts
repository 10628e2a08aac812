/**
 * Whether a key is (still) listed, by a list read after the question was asked. Questions asked while one list is being
 * read share the next, so parents that vanish together cost two lists at most.
 */
export function stillListed(readList: () => Promise<ReadonlySet<string>>) {
  let reading: Promise<unknown> | undefined;
  let following: Promise<ReadonlySet<string>> | undefined;

  function read(): Promise<ReadonlySet<string>> {
    const list = readList();
    reading = list;
    const clear = () => {
      if (reading === list) reading = undefined;
    };
    list.then(clear, clear);
    return list;
  }
  return async (key: string): Promise<boolean> => {
    if (reading) {
      const before = reading;
      following ??= before.then(
        () => next(),
        () => next(),
      );
    }
    const list = await (following ?? read());
    return list.has(key);
  };

  function next(): Promise<ReadonlySet<string>> {
    following = undefined;
    return read();
  }
}
