/** The part of snappyjs that is used; it ships no types. */
declare module 'snappyjs' {
  export function compress(bytes: Buffer): Buffer;
}
