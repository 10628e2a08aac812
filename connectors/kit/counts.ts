/** `895,316` */
export const count = (value: number): string => value.toLocaleString('en-GB');

/** `1 file`, `25 files`; with a plural of its own `1 person`, `2,500 people` */
export const counted = (value: number, noun: string, plural = `${noun}s`): string =>
  `${count(value)} ${value === 1 ? noun : plural}`;
