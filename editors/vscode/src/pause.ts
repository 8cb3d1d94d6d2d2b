// A pause of the user's own: it ends by itself after an hour, and outlives the server and a reload of the window.
import type { Memento } from "vscode";

const HOUR = 3_600_000; // ms
const NAME = "pausedUntil"; // ms since 1970

export class Pause {
  private until: number;
  private timer: NodeJS.Timeout | undefined;

  /** `changed` is called when it begins and when it ends. */
  constructor(
    private readonly memory: Pick<Memento, "get" | "update">,
    private readonly changed: () => void,
    private readonly now = Date.now,
  ) {
    this.until = memory.get<number>(NAME, 0);
    this.wait();
  }

  /** When it ends, ms since 1970; undefined where there is none. */
  get endsAt(): number | undefined {
    return this.on ? this.until : undefined;
  }

  get on(): boolean {
    return this.until > this.now();
  }

  async begin(): Promise<void> {
    await this.last(this.now() + HOUR);
  }

  async end(): Promise<void> {
    await this.last(0);
  }

  dispose(): void {
    clearTimeout(this.timer);
  }

  private async last(until: number): Promise<void> {
    this.until = until;
    this.wait();
    this.changed();
    await this.memory.update(NAME, until || undefined);
  }

  private wait(): void {
    clearTimeout(this.timer);
    const left = this.until - this.now();
    if (left > 0) this.timer = setTimeout(() => void this.end(), Math.min(left, HOUR));
  }
}
