// What the service says to a key.
import { l10n } from "vscode";

export interface Verdict {
  /** Whether the service takes the key, refuses it, or could not be asked. */
  state: "good" | "refused" | "unchecked";
  text: string;
}

/** Ask an endpoint's models and the account's balance with a key; never throws, and repeats nothing that was answered but amounts. */
export async function check(url: string, key: string): Promise<Verdict> {
  try {
    const ask = (path: string) =>
      fetch(url + path, { headers: { Authorization: `Bearer ${key}` }, redirect: "error", signal: AbortSignal.timeout(10_000) });
    const models = await ask("/models");
    if (models.status === 401) return { state: "refused", text: l10n.t("Copy the key again from your account: the service refuses this one.") };
    if (!models.ok) return { state: "unchecked", text: l10n.t("The key is kept, but could not be checked: the service answered {0}.", models.status) };
    const balance = await ask("/user/balance");
    const left = balance.ok ? amounts(await balance.json()) : "";
    return { state: "good", text: left ? l10n.t("The key works; left on the account: {0}.", left) : l10n.t("The key works.") };
  } catch {
    return { state: "unchecked", text: l10n.t("The key is kept, but could not be checked: the service cannot be reached.") };
  }
}

function amounts(body: unknown): string {
  const infos = (body as { balance_infos?: { currency: string; total_balance: string }[] } | null)?.balance_infos ?? [];
  return infos.map((info) => `${info.total_balance} ${info.currency}`).join(", ");
}
