interface Pace {
  /** Since the start. */
  done: number;
  open: number;
  /** Milliseconds since the start. */
  passed: number;
}

/** Fewer say nothing of the next. */
const ENOUGH = 3;

/** `40 s`, `12 min`, `1 h 5 min`: how long the rest takes at the pace so far; empty where nothing is known yet. */
export function timeLeft({ done, open, passed }: Pace): string {
  if (done < ENOUGH || open === 0) return '';
  const seconds = Math.ceil((passed / done) * (open / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
