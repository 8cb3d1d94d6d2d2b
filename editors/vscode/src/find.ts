// Engines on this machine, as `fim-lsp doctor --find` finds them.
import { execFile } from "node:child_process";
import { l10n } from "vscode";

export interface Engine {
  baseUrl: string;
  engine: string;
  model: string;
}

const PATIENCE = 30_000; // ms, of a machine that is busy with a model

/** Run the command that looks for them; none where it cannot be run. */
export function look([program = "", ...args]: string[]): Promise<Engine[]> {
  if (!program) return Promise.resolve([]);
  return new Promise((resolve) => {
    execFile(program, args, { timeout: PATIENCE, windowsHide: true }, (_, out) => {
      resolve(engines(out));
    });
  });
}

/** What the command printed: its engines, and nothing that is none. */
export function engines(out: string): Engine[] {
  try {
    const { found } = JSON.parse(out) as { found?: unknown };
    return Array.isArray(found) ? found.filter(whole) : [];
  } catch {
    return [];
  }
}

function whole(one: unknown): one is Engine {
  const { baseUrl, engine, model } = (one ?? {}) as Partial<Record<keyof Engine, unknown>>;
  return typeof baseUrl === "string" && /^http:\/\//.test(baseUrl) && typeof engine === "string" && typeof model === "string";
}

/** Whether an address can be an endpoint's: what is wrong with it, undefined where nothing is. */
export function unusable(text: string): string | undefined {
  try {
    const url = new URL(text.trim());
    const plain = /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash;
    return plain ? undefined : l10n.t("An address such as https://models.example/v1, without a name, a password or a query.");
  } catch {
    return l10n.t("An address such as https://models.example/v1.");
  }
}
