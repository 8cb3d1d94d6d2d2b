// What the status bar, its hover and the explanation say.

export interface Status {
  state: "ready" | "busy" | "paused" | "error";
  message: string;
  model: string;
  requests: number;
  promptTokens: number;
  cacheHitTokens: number;
  completionTokens: number;
  localHits: number;
  /** Whether completions are on by the settings; a server of another version may not say. */
  enabled?: boolean;
  baseUrl?: string;
  /** What the session's requests have cost, in dollars; null where no record is kept, as of the demo. */
  usd?: number | null;
  /** Whether the budget is used up. */
  overBudget?: boolean;
  /** Where nothing comes by itself for a while. */
  snoozed?: Nap[];
}

/** Silence on demand: of everything, a language or a file (its URI), and the minutes left. */
export interface Nap {
  scope: "everything" | "language" | "file";
  name: string;
  minutes: number;
}

/** What is known of a server that does not run. */
export const NOTHING: Status = {
  state: "busy", message: "", model: "", requests: 0, promptTokens: 0, cacheHitTokens: 0, completionTokens: 0, localHits: 0,
};

export type Look = Status["state"] | "off" | "spent" | "snoozed";

const ICONS = {
  ready: "$(sparkle)", busy: "$(loading~spin)", paused: "$(debug-pause)", error: "$(warning)", off: "$(circle-slash)", spent: "$(credit-card)",
  snoozed: "$(bell-slash)",
};
const WORDS = { ready: "ready", busy: "working", paused: "paused", error: "problem", off: "off", spent: "budget used", snoozed: "snoozed" };

/** How a status looks: the server says `paused` also of completions that the settings switch off or the budget stops. */
export function look(status: Status): Look {
  if (status.state === "ready" && asleep(status)) return "snoozed";
  if (status.state !== "paused") return status.state;
  return status.enabled === false ? "off" : status.overBudget ? "spent" : "paused";
}

/** The minutes for which nothing comes by itself anywhere; 0 where it does. */
export function asleep(status: Status): number {
  return status.snoozed?.find(({ scope }) => scope === "everything")?.minutes ?? 0;
}

export function label(look: Look, minutes = 0): string {
  const left = look === "snoozed" && minutes ? ` ${minutes} min` : "";
  return `${ICONS[look]} FIM${look === "ready" || look === "busy" ? "" : `: ${WORDS[look]}${left}`}`;
}

export function dollars(value: number): string {
  return `$${value < 0.01 ? value.toFixed(6) : value.toFixed(4)}`;
}

/** The hover: the model, what the session used, what it cost today, and what is to be done. */
export function hover(status: Status, today?: { usd?: number; savedUsd?: number }): string {
  const share = status.promptTokens ? Math.round((100 * status.cacheHitTokens) / status.promptTokens) : 0;
  const cost = typeof status.usd !== "number" ? "" : `: ${dollars(status.usd)}`;
  const what = look(status);
  const lines = [
    `**fim-lsp** ${WORDS[what]}, ${status.model}`,
    ...(what === "off" ? ["`fimLsp.enabled` is off: a click offers to switch it on"] : []),
    ...(what === "spent" ? ["A click offers to go on over the budget until tomorrow"] : []),
    ...(status.message ? [`${status.snoozed?.length ? "$(bell-slash)" : "$(warning)"} ${status.message}`] : []),
    `Session: ${status.requests} requests, ${status.localHits} answers from memory`,
    `${status.promptTokens} tokens sent, ${share} % of them at a fiftieth of the price; ${status.completionTokens} received${cost}`,
  ];
  if (today?.usd !== undefined) {
    lines.push(`Today: ${dollars(today.usd)}, and ${dollars(today.savedUsd ?? 0)} saved by the cache`);
  }
  return lines.join("\n\n");
}

interface Part {
  what: string;
  characters: number;
  tokens: number;
  files?: string[];
  usdKept?: number;
  usdNew?: number;
}

/** The request at the cursor, as one can read it: its parameters, the prompt's parts, then both texts to the byte. */
export function explained(found: Record<string, unknown>): string {
  if (typeof found["problem"] === "string") return found["problem"];
  const { prompt, suffix, parts, ...rest } = found;
  const listed = Array.isArray(parts) ? `\n\n--- parts ---\n${(parts as Part[]).map(part).join("\n")}` : "";
  return `${JSON.stringify(listed ? rest : { ...rest, parts }, null, 2)}${listed}\n\n--- prompt ---\n${String(prompt)}\n--- suffix ---\n${String(suffix)}\n--- end ---\n`;
}

function part({ what, characters, tokens, files = [], usdKept, usdNew }: Part): string {
  const known = usdKept !== undefined && usdNew !== undefined;
  const price = known ? `, $${usdKept.toFixed(8)} where the service has kept it, $${usdNew.toFixed(8)} where it is new` : "";
  return `${what}: ${characters} characters, ${tokens} tokens${price}${files.length ? `; of ${files.join(", ")}` : ""}`;
}
