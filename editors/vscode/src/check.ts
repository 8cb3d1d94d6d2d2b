// What the service says to a key.

export interface Verdict {
  good: boolean;
  text: string;
}

/** Ask an endpoint's models and the account's balance with a key; never throws, and repeats nothing that was answered but amounts. */
export async function check(url: string, key: string): Promise<Verdict> {
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
