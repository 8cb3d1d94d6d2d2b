// The request at the cursor, as a page that one can read: where it would go, what it costs, its parts, and its text to the byte.
import { l10n } from "vscode";
import { page, table, text, verbatim, type Html } from "./html";
import { host } from "./settings";
import { count, dollars } from "./wording";

interface Part {
  what: string;
  characters: number;
  tokens: number;
  files?: string[];
  usdKept?: number;
  usdNew?: number;
}

/** What `fimLsp.explain` returns. */
export interface Explained {
  problem?: string;
  url?: string;
  demo?: boolean;
  model?: string;
  prompt?: string;
  suffix?: string;
  max_tokens?: number;
  temperature?: number;
  stop?: string[];
  parts?: Part[];
  known?: boolean;
}

const MOST = 8; // files that a part names

export function explained(found: Explained): Html {
  const title = l10n.t("The request at the cursor");
  if (found.problem !== undefined) return page(title, text(found.problem));
  const { parts = [], prompt = "", suffix = "" } = found;
  return page(
    title,
    text(summary(found), "lead"),
    ...(found.known ? [text(l10n.t("The answer to it is still in memory: nothing would be sent."))] : []),
    text(l10n.t("Parts of the prompt"), "h2"),
    table([l10n.t("part"), l10n.t("tokens"), l10n.t("price"), l10n.t("from")], parts.map(row), [3]),
    text(l10n.t("The price is that of a part which the service has kept from a request before, and the one where it is new. Tokens are estimated."), "note"),
    text(l10n.t("Before the cursor"), "h2"),
    verbatim(prompt, "prompt"),
    text(l10n.t("After the cursor"), "h2"),
    verbatim(suffix, "suffix"),
    text(l10n.t("Parameters"), "h2"),
    table([l10n.t("name"), l10n.t("value")], parameters(found), [1]),
  );
}

function summary({ parts = [], demo, url = "", suffix = "" }: Explained): string {
  const tokens = parts.reduce((sum, one) => sum + one.tokens, 0);
  const all = new Set(parts.flatMap(({ files = [] }) => files));
  const files = all.size === 1 ? l10n.t("1 file") : l10n.t("{0} files", all.size);
  if (demo) return l10n.t("About {0} tokens from {1}, to the demo in the extension: nothing leaves this machine.", count(tokens), files);
  const sum = (price: "usdKept" | "usdNew") => parts.reduce((all, one) => all + (one[price] ?? NaN), 0);
  const [least, most] = [sum("usdKept"), sum("usdNew")];
  const cost = Number.isNaN(most) || !parts.length ? "" : l10n.t(", for {0} to {1}", dollars(least), dollars(most));
  const after = suffix ? l10n.t(", and {0} characters after the cursor", count(suffix.length)) : "";
  return l10n.t("About {0} tokens from {1}{2}, to {3}{4}, besides the answer's.", count(tokens), files, after, host(url), cost);
}

function row({ what, tokens, files = [], usdKept, usdNew }: Part): string[] {
  const price = usdKept !== undefined && usdNew !== undefined ? `${dollars(usdKept)} – ${dollars(usdNew)}` : "–";
  const more = files.length > MOST ? l10n.t(" and {0} more", files.length - MOST) : "";
  return [named(what), count(tokens), price, files.slice(0, MOST).join(", ") + more];
}

/** What the server calls a part, in words. */
function named(what: string): string {
  switch (what) {
    case "map": return l10n.t("map: names and signatures of the project");
    case "log of edits": return l10n.t("what was edited elsewhere");
    case "near this file": return l10n.t("what this file imports");
    case "earlier": return l10n.t("this file, further up");
    case "live": return l10n.t("this file, around the cursor");
    default: return what;
  }
}

function parameters(found: Explained): string[][] {
  const all: [string, unknown][] = [
    [l10n.t("address"), found.demo ? l10n.t("the demo in the extension") : found.url], ["model", found.demo ? "-" : found.model],
    ["max_tokens", found.max_tokens], ["temperature", found.temperature], ["stop", JSON.stringify(found.stop ?? [])],
  ];
  return all.map(([name, value]) => [name, String(value)]);
}
