// The user's key: kept in the editor's secret store, which all windows share, and written nowhere else.
import type { Disposable, SecretStorage } from "vscode";

const NAME = "fimLsp.apiKey";

export class Key {
  private value: string | undefined;

  /** `changed` is called for each change of the key, whichever window it was made in. */
  constructor(
    private readonly secrets: Pick<SecretStorage, "get" | "store" | "delete" | "onDidChange">,
    private readonly changed: () => Promise<void>,
  ) {}

  get current(): string | undefined {
    return this.value;
  }

  async load(): Promise<void> {
    this.value = (await this.secrets.get(NAME)) ?? undefined;
  }

  /** Follow what other windows do to it. */
  watch(): Disposable {
    return this.secrets.onDidChange(async ({ key }) => {
      if (key !== NAME) return;
      const before = this.value;
      await this.load();
      if (this.value !== before) await this.changed();
    });
  }

  async keep(key: string): Promise<void> {
    await this.secrets.store(NAME, key);
    await this.take(key);
  }

  async drop(): Promise<void> {
    await this.secrets.delete(NAME);
    await this.take(undefined);
  }

  private async take(key: string | undefined): Promise<void> {
    // The store may have told of it already.
    if (this.value === key) return;
    this.value = key;
    await this.changed();
  }
}
