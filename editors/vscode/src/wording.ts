// What the status bar, its hover and the pages say.

export interface Status {
  state: "ready" | "busy" | "paused" | "error";
  message: string;
  model: string;
  requests: number;
  promptTokens: number;
  cacheHitTokens: number;
  completionTokens: number;
  localHits: number;
}

export interface Usage {
  total?: { usd?: number; savedUsd?: number; requests?: number; accepted?: number; shown?: number };
}

const ICONS = { ready: "$(sparkle)", busy: "$(loading~spin)", paused: "$(debug-pause)", error: "$(warning)" };
const WORDS = { ready: "ready", busy: "working", paused: "paused", error: "problem" };

export function label(state: Status["state"]): string {
  return `${ICONS[state]} FIM${state === "ready" || state === "busy" ? "" : `: ${WORDS[state]}`}`;
}

export function dollars(value: number): string {
  return `$${value < 0.01 ? value.toFixed(6) : value.toFixed(4)}`;
}

/** The hover: the model, what the session used, what it cost today, and what is to be done. */
export function hover(status: Status, usage: Usage): string {
  const share = status.promptTokens ? Math.round((100 * status.cacheHitTokens) / status.promptTokens) : 0;
  const lines = [
    `**fim-lsp** ${WORDS[status.state]}, ${status.model}`,
    ...(status.message ? [`$(warning) ${status.message}`] : []),
    `Session: ${status.requests} requests, ${status.localHits} answers from memory`,
    `${status.promptTokens} tokens sent, ${share} % of them at a fiftieth of the price; ${status.completionTokens} received`,
  ];
  const total = usage.total;
  if (total?.usd !== undefined) {
    lines.push(`Today: ${dollars(total.usd)}, and ${dollars(total.savedUsd ?? 0)} saved by the cache`);
  }
  return lines.join("\n\n");
}

/** The request at the cursor, as one can read it: its parameters, then both texts to the byte. */
export function explained(found: Record<string, unknown>): string {
  if (typeof found["problem"] === "string") return found["problem"];
  const { prompt, suffix, ...rest } = found;
  return `${JSON.stringify(rest, null, 2)}\n\n--- prompt ---\n${String(prompt)}\n--- suffix ---\n${String(suffix)}\n--- end ---\n`;
}
