// What completions cost, as a page that one can read.
import { l10n } from "vscode";
import { page, table, text, type Html } from "./html";
import { count, dollars } from "./wording";

export interface Figures {
  name?: string;
  requests: number;
  localHits: number;
  promptTokens: number;
  cacheHitTokens: number;
  completionTokens: number;
  usd: number;
  savedUsd: number;
  shown: number;
  accepted: number;
  estimated?: number;
  unpriced?: number;
}

export interface Usage {
  from?: string;
  to?: string;
  total?: Figures;
  groups?: Figures[];
  priceTables?: string[];
  missing?: number;
  underway?: number;
  balance?: { read: string; amounts: { currency: string; amount: string }[] };
}

/** The page: today by model, the days before one by one, and how far the figures can be trusted. */
export function costs(today: Usage | undefined, days: Usage | undefined, demo = false): Html {
  const title = l10n.t("What completions cost");
  if (!today) return page(title, text(l10n.t("The server is not running.")));
  if (demo) return page(title, text(l10n.t("The demo costs nothing, and nothing of it is recorded.")));
  if (!today.total || !days?.total) return page(title, text(l10n.t("Nothing is recorded yet.")));
  return page(
    title,
    text(l10n.t("{0} today, {1} in the last seven days, in US dollars.", dollars(today.total.usd), dollars(days.total.usd)), "lead"),
    text(l10n.t("Today, by model ({0})", today.to ?? ""), "h2"),
    rows(l10n.t("model"), today),
    text(l10n.t("The last seven days"), "h2"),
    rows(l10n.t("day"), days),
    ...[...remarks(today, days)].map((one) => text(one)),
    text(l10n.t("From memory: answers that this machine still had, for nothing. Sent and received: tokens. Cached: of the tokens sent, those that the service had kept and billed at a fraction; saved is what that took off the cost. Taken: of the suggestions that were shown."), "note"),
  );
}

function rows(first: string, usage: Usage): Html {
  const head = [
    first, l10n.t("requests"), l10n.t("from memory"), l10n.t("sent"), l10n.t("cached"), l10n.t("received"), l10n.t("cost"), l10n.t("saved"), l10n.t("taken"),
  ];
  const { total, groups = [] } = usage;
  return table(head, [...groups.map((one) => row(one.name ?? "", one)), ...(total ? [row(l10n.t("total"), total)] : [])]);
}

function row(name: string, figures: Figures): string[] {
  const share = (part: number, all: number) => (all ? `${Math.round((100 * part) / all)} %` : "–");
  return [
    name || l10n.t("(none)"),
    count(figures.requests), count(figures.localHits), count(figures.promptTokens),
    share(figures.cacheHitTokens, figures.promptTokens),
    count(figures.completionTokens), money(figures.usd), money(figures.savedUsd),
    share(figures.accepted, figures.shown),
  ];
}

/** Dollars with as many digits in each row. */
function money(value: number): string {
  return `$${value.toFixed(4)}`;
}

function* remarks(today: Usage, days: Usage): Generator<string> {
  const left = today.balance?.amounts.map(({ amount, currency }) => `${amount} ${currency}`).join(", ");
  if (left && today.balance) yield l10n.t("Left on the account: {0}, as of {1}.", left, new Date(today.balance.read).toLocaleString());
  if (days.priceTables?.length) yield l10n.t("Prices: {0}.", days.priceTables.join(", "));
  const total = days.total;
  if (total?.estimated) yield l10n.t("{0} requests stopped before the service had counted: their tokens are an estimate.", count(total.estimated));
  if (total?.unpriced) yield l10n.t("{0} requests went to a model of unknown price and count as $0.", count(total.unpriced));
  if (days.missing) yield l10n.t("{0} requests are missing: the server was killed before they were recorded.", count(days.missing));
  if (days.underway) yield l10n.t("{0} requests are under way at this moment, or when a server was killed just now.", count(days.underway));
}
