// The user's key: kept in the editor's secret store, checked by a real request, never written anywhere else.
import * as vscode from "vscode";
import { root } from "./settings";

const NAME = "fimLsp.apiKey";

export class Key {
  private value: string | undefined;

  constructor(
    private readonly secrets: vscode.SecretStorage,
    private readonly baseUrl: () => string,
    private readonly changed: () => Promise<void>,
  ) {}

  get current(): string | undefined {
    return this.value;
  }

  async load(): Promise<void> {
    this.value = (await this.secrets.get(NAME)) ?? undefined;
  }

  /** Ask for a key, keep it, and say what the service says to it. */
  async set(): Promise<void> {
    const given = await vscode.window.showInputBox({
      title: "FIM: Set API key",
      prompt: "The key of your account at the service; it is kept in the editor's secret store.",
      password: true,
      ignoreFocusOut: true,
      validateInput: (text) => (/^[!-~]*$/.test(text.trim()) ? undefined : "Letters, digits and signs, without spaces."),
    });
    const key = given?.trim();
    if (!key) return;
    await this.secrets.store(NAME, key);
    this.value = key;
    await this.changed();
    const verdict = await check(root(this.baseUrl()), key);
    if (verdict.good) void vscode.window.showInformationMessage(`fim-lsp: ${verdict.text}`);
    else void vscode.window.showWarningMessage(`fim-lsp: ${verdict.text}`);
  }

  async remove(): Promise<void> {
    await this.secrets.delete(NAME);
    this.value = undefined;
    await this.changed();
    void vscode.window.showInformationMessage("fim-lsp: the key is removed.");
  }
}

async function check(url: string, key: string): Promise<{ good: boolean; text: string }> {
  try {
    const ask = (path: string) =>
      fetch(url + path, { headers: { Authorization: `Bearer ${key}` }, redirect: "error", signal: AbortSignal.timeout(10_000) });
    const models = await ask("/models");
    if (models.status === 401) return { good: false, text: "The service refuses this key: copy it again from your account." };
    if (!models.ok) return { good: false, text: `The key is kept, but could not be checked: the service answered ${models.status}.` };
    const balance = await ask("/user/balance");
    const left = balance.ok ? amounts(await balance.json()) : "";
    return { good: true, text: `The key works${left ? `; left on the account: ${left}` : ""}.` };
  } catch {
    return { good: false, text: "The key is kept, but could not be checked: the service cannot be reached." };
  }
}

function amounts(body: unknown): string {
  const infos = (body as { balance_infos?: { currency: string; total_balance: string }[] } | null)?.balance_infos ?? [];
  return infos.map((info) => `${info.total_balance} ${info.currency}`).join(", ");
}
