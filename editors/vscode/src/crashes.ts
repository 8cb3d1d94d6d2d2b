// How often the server has stopped by itself, and how long to wait before it is started again.

const RECENT = 180_000; // ms
const MOST = 8;

/** Milliseconds to wait after the newest of these stops (times in ms); undefined: give up, it does not stay up. */
export function backOff(stops: number[], now: number): number | undefined {
  const recent = stops.filter((at) => now - at < RECENT).length;
  if (recent > MOST) return undefined;
  return recent <= 1 ? 0 : Math.min(250 * 2 ** (recent - 2), 15_000);
}
