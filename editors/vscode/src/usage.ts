// What completions cost, as a page that one can read.
import { dollars } from "./wording";

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

const HEAD = ["requests", "memory", "sent", "cached", "received", "cost", "saved", "taken"];

/** The page: today by model, the days before one by one, and how far the figures can be trusted. */
export function costs(today: Usage | undefined, days: Usage | undefined): string {
  if (!today) return "The server is not running.\n";
  if (!today.total || !days?.total) return "Nothing is recorded yet. The demo costs nothing and is never recorded.\n";
  return [
    "What completions cost, in US dollars",
    `Today, ${today.to ?? ""}\n${rows("model", today)}`,
    `${days.from ?? ""} to ${days.to ?? ""}\n${rows("day", days)}`,
    [...remarks(today, days)].join("\n"),
  ].join("\n\n") + "\n";
}

function rows(first: string, usage: Usage): string {
  const { total, groups = [] } = usage;
  if (!total) return "";
  const lines = [[first, ...HEAD], ...groups.map((one) => row(one.name ?? "", one)), row("total", total)];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  return lines
    .map((line) => line.map((cell, n) => (n ? cell.padStart(widths[n] ?? 0) : cell.padEnd(widths[n] ?? 0))).join("  "))
    .join("\n");
}

function row(name: string, figures: Figures): string[] {
  const share = (part: number, all: number) => (all ? `${Math.round((100 * part) / all)} %` : "-");
  return [
    name || "(none)",
    count(figures.requests), count(figures.localHits), count(figures.promptTokens),
    share(figures.cacheHitTokens, figures.promptTokens),
    count(figures.completionTokens), dollars(figures.usd), dollars(figures.savedUsd),
    share(figures.accepted, figures.shown),
  ];
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

function* remarks(today: Usage, days: Usage): Generator<string> {
  const left = today.balance?.amounts.map(({ amount, currency }) => `${amount} ${currency}`).join(", ");
  if (left) yield `Left on the account: ${left}, read at ${today.balance?.read ?? ""}.`;
  if (days.priceTables?.length) yield `Prices: ${days.priceTables.join(", ")}.`;
  const total = days.total;
  if (total?.estimated) yield `${count(total.estimated)} requests stopped before the service had counted: their tokens are an estimate.`;
  if (total?.unpriced) yield `${count(total.unpriced)} requests went to a model of unknown price and count as $0.`;
  if (days.missing) yield `${count(days.missing)} requests are missing: the server was killed before they were recorded.`;
  if (days.underway) yield `${count(days.underway)} requests are under way at this moment, or when a server was killed just now.`;
  yield "";
  yield "memory: answers found on this machine, for nothing; sent and received: tokens";
  yield "cached: of the tokens sent, those found in the service's cache; saved: what that took off the cost";
  yield "taken: of the suggestions that were shown";
  yield "More, by language, project or hour and for other days: `fim-lsp usage`.";
}
