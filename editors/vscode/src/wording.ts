// What the status bar and its hover say.
import { l10n } from "vscode";

export interface Status {
  state: "ready" | "busy" | "paused" | "error";
  message: string;
  /** What the message is about: "settings", "key", "budget", or the cause of a failed request. */
  cause?: string;
  model: string;
  requests: number;
  promptTokens: number;
  cacheHitTokens: number;
  completionTokens: number;
  localHits: number;
  /** Whether completions are on by the settings; a server of another version may not say. */
  enabled?: boolean;
  baseUrl?: string;
  /** Whether a key is known, from wherever. */
  apiKey?: boolean;
  /** Whether the embedded demo answers. */
  demo?: boolean;
  /** What the session's requests have cost, in dollars; null where no record is kept, as of the demo. */
  usd?: number | null;
  /** Whether the budget is used up. */
  overBudget?: boolean;
  /** What became of suggestions. */
  acceptance?: { all: number; line: number; word: number; typed: number };
  /** Where nothing comes by itself for a while. */
  snoozed?: Nap[];
}

/** Silence on demand: of everything, a language or a file (its URI), and the minutes left. */
export interface Nap {
  scope: "everything" | "language" | "file";
  name: string;
  minutes: number;
}

/** A document as the server sees it: why nothing is offered there, empty where something is. */
export type Withheld = "" | "closed" | "excluded" | "language";

/** What is known of a server that does not run. */
export const NOTHING: Status = {
  state: "busy", message: "", model: "", requests: 0, promptTokens: 0, cacheHitTokens: 0, completionTokens: 0, localHits: 0,
};

export type Look = Status["state"] | "off" | "spent" | "keyless" | "refused" | "excluded" | "language" | "snoozed";

const ICONS: Record<Look, string> = {
  ready: "$(sparkle)", busy: "$(loading~spin)", paused: "$(debug-pause)", error: "$(warning)", off: "$(circle-slash)", spent: "$(credit-card)",
  keyless: "$(key)", refused: "$(warning)", excluded: "$(circle-slash)", language: "$(circle-slash)",
  snoozed: "$(bell-slash)",
};

/** What else than the status a look depends on. */
export interface Surroundings {
  withheld?: Withheld;
  /** The active document's language. */
  language?: string | undefined;
  /** When a pause ends, ms since 1970. */
  until?: number | undefined;
  /** For how many minutes nothing comes by itself anywhere. */
  asleep?: number;
}

/** The minutes for which nothing comes by itself anywhere; 0 where it does. */
export function asleep(status: Status): number {
  return status.snoozed?.find(({ scope }) => scope === "everything")?.minutes ?? 0;
}

/** How a status looks: the server says `paused` also of completions that the settings switch off or the budget stops. */
export function look(status: Status, { withheld }: Surroundings = {}): Look {
  if (status.state === "error") return status.cause !== "key" ? "error" : status.apiKey === false ? "keyless" : "refused";
  if (status.state === "paused") return status.enabled === false ? "off" : status.overBudget ? "spent" : "paused";
  if (withheld === "excluded" || withheld === "language") return withheld;
  return status.state === "ready" && asleep(status) ? "snoozed" : status.state;
}

function word(look: Look, { language, asleep = 0 }: Surroundings): string {
  switch (look) {
    case "ready": return l10n.t("ready");
    case "busy": return l10n.t("working");
    case "paused": return l10n.t("paused");
    case "error": return l10n.t("problem");
    case "off": return l10n.t("off");
    case "spent": return l10n.t("budget used");
    case "keyless": return l10n.t("no key");
    case "refused": return l10n.t("key refused");
    case "excluded": return l10n.t("not in this file");
    case "language": return l10n.t("off in {0}", language ?? "");
    case "snoozed": return l10n.t("snoozed {0} min", asleep);
  }
}

export function label(look: Look, around: Surroundings = {}, demo = false): string {
  const quiet = look === "ready" || look === "busy";
  const said = quiet ? (demo ? l10n.t("demo") : "") : word(look, around);
  return `${ICONS[look]} fim-lsp${said && `: ${said}`}`;
}

/** The same for who hears it. */
export function spoken(status: Status, around: Surroundings = {}): string {
  return ["fim-lsp", word(look(status, around), around), status.demo ? l10n.t("demo") : "", status.message].filter(Boolean).join(" ");
}

/** Dollars with so many digits that two of them count, alike in a column. */
export function dollars(value: number): string {
  return `$${value !== 0 && value < 0.0995 ? value.toFixed(Math.min(8, 1 - Math.floor(Math.log10(value)))) : value.toFixed(2)}`;
}

export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** A moment as a clock shows it. */
export function clock(moment: number): string {
  return new Date(moment).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

/** A text as it is, where Markdown is read. */
function plain(text: string): string {
  return text.replace(/[\\`*_[\]<>]/g, "\\$&");
}

/** The hover: what is in the way and what to do about it, the model, what the session used, and what it cost today. */
export function hover(status: Status, around: Surroundings = {}, today?: { usd?: number; savedUsd?: number }): string {
  const what = look(status, around);
  const model = status.demo ? l10n.t("demo") : status.model;
  return [
    `**fim-lsp** ${word(what, around)}${model && `, ${plain(model)}`}`,
    ...why(what, status, around),
    ...(status.demo ? [l10n.t("This is the demo: a small model in the extension answers, and nothing leaves this machine. [Leave the demo](command:fim.leaveDemo)")] : []),
    ...session(status),
    ...(today?.usd !== undefined && !status.demo
      ? [l10n.t("Today: {0}, and {1} saved by the service's cache. [What completions cost](command:fim.usage)", dollars(today.usd), dollars(today.savedUsd ?? 0))]
      : []),
  ].join("\n\n");
}

function why(what: Look, status: Status, around: Surroundings): string[] {
  switch (what) {
    case "off": return [l10n.t("`fimLsp.enabled` is off. [Switch it on](command:fim.pause)")];
    case "spent": return [l10n.t("The budget that you set is used. [Go on until tomorrow](command:fim.resume)")];
    case "keyless": return [l10n.t("No API key is known. [Set API key](command:fim.setApiKey) or [try without a key](command:fim.demo)")];
    case "refused": return [l10n.t("The service does not accept the API key. [Set another](command:fim.setApiKey)")];
    case "excluded": return [l10n.t("Nothing of this file is sent: it usually holds secrets, or `fimLsp.exclude` or an ignore file names it.")];
    case "language": return [l10n.t("`{0}` is switched off. [Switch it on](command:fim.toggleLanguage)", around.language ?? "")];
    case "paused": return [
      around.until ? l10n.t("Until {0}. [Go on](command:fim.pause)", clock(around.until)) : l10n.t("[Go on](command:fim.pause)"),
    ];
    case "snoozed": return [l10n.t("Nothing comes by itself; where you ask, it does. [Wake](command:fim.snooze)")];
    case "error": return status.message ? [`$(warning) ${plain(status.message)}`] : [];
    // As that another endpoint answers in the place of the first.
    default: return status.message ? [plain(status.message)] : [];
  }
}

function session(status: Status): string[] {
  const { promptTokens: sent, cacheHitTokens: hit, completionTokens: received, requests, localHits } = status;
  if (!sent && !localHits) return [];
  const asked = requests === 1 ? l10n.t("1 request") : l10n.t("{0} requests", count(requests));
  const kept = localHits === 1 ? l10n.t("1 answer from memory") : l10n.t("{0} answers from memory", count(localHits));
  const lines = [l10n.t("Session: {0}, {1}", asked, kept)];
  if (sent) {
    const cheap = hit ? l10n.t(" ({0} % at a fiftieth of the price)", Math.round((100 * hit) / sent)) : "";
    const cost = typeof status.usd === "number" && status.usd > 0 ? `: ${dollars(status.usd)}` : "";
    lines.push(l10n.t("{0} tokens sent{1}, {2} received{3}", count(sent), cheap, count(received), cost));
  }
  return lines;
}
