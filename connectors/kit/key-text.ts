/** What begins as Anthropic's keys do. */
const KEY = /sk-ant-[\w-]+/gi;

/** A text for people, with `[key]` in the place of anything that looks like a key: whoever typed it in the wrong place must not find it in a log. */
export const withoutKeys = (text: string): string => text.replace(KEY, '[key]');

/** Whether a value is a key and nothing else; the name of a file that is called after one has a dot or is shorter. */
export const isKey = (value: unknown): boolean =>
  typeof value === 'string' && /^\s*sk-ant-[\w-]{16,}\s*$/i.test(value);

/** The same stream, by which no key is written. */
export function maskingKeys<W extends NodeJS.WritableStream>(stream: W): W {
  return new Proxy(stream, {
    get(target, name) {
      if (name === 'write') {
        return (chunk: string | Uint8Array, ...rest: []) =>
          target.write(typeof chunk === 'string' ? withoutKeys(chunk) : chunk, ...rest);
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
