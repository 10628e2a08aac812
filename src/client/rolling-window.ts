/** The times of what was done during the last window, to keep count of it. */
export interface RollingWindow {
  add(now: number): void;
  /** When the window holds fewer than `most` again: `now` or earlier if it does already. */
  freeAt(most: number, now: number): number;
}

/** Keeps times for so many milliseconds; they are given in order. */
export function rollingWindow(ms: number): RollingWindow {
  let times: number[] = [];
  let first = 0; // those before have left the window

  return {
    add(now) {
      times.push(now);
    },
    freeAt(most, now) {
      while (first < times.length && (times[first] as number) <= now - ms) first += 1;
      if (first > 1000 && first > times.length / 2) {
        times = times.slice(first);
        first = 0;
      }
      const count = times.length - first;
      return count < most ? now : (times[times.length - most] as number) + ms;
    },
  };
}
