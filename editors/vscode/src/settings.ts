// What the user has set, layer by layer, and what of it the server is told.
import { l10n } from "vscode";

/** One setting as the editor holds it, layer by layer; undefined where a layer does not set it. */
export interface Layers {
  globalValue?: unknown;
  workspaceValue?: unknown;
  workspaceFolderValue?: unknown;
  globalLanguageValue?: unknown;
  workspaceLanguageValue?: unknown;
  workspaceFolderLanguageValue?: unknown;
  /** The languages for which somebody has set it, as in `"[go]": { … }`. */
  languageIds?: string[];
}

/** The settings that a value stands in: the user's own (this machine's among them), or the workspace's. */
export type Place = "user" | "workspace";

/** What a manifest's configuration declares, group by group. */
export type Properties = Record<string, { scope?: string }>;

export function properties(configuration: { properties: Properties }[]): Properties {
  return Object.assign({}, ...configuration.map((group) => group.properties)) as Properties;
}

/** Names that are ours alone, or that the server must not hear of from here. */
const OURS = new Set(["pythonPath", "serverCommand", "demo", "trace.server", "apiKey"]);
/** Those that belong to the machine, which is not the user's own where the window is a remote one. */
export const OF_THE_MACHINE = [
  "affinityHeader", "baseUrl", "caFile", "demo", "engine", "fallback", "headers", "pythonPath", "serverCommand", "template",
];
const SERVICE = "https://api.deepseek.com";
const SHORT = 4; // characters of a secret that may well stand in other words

/** The names of the server's settings, from the manifest's properties. */
export function serverNames(properties: Record<string, unknown>): string[] {
  return Object.keys(properties)
    .map((name) => name.replace(/^fimLsp\./, ""))
    .filter((name) => !OURS.has(name));
}

/** Those of them that can be set for one language alone. */
export function overridable(properties: Record<string, unknown>): string[] {
  return serverNames(properties).filter((name) => (properties[`fimLsp.${name}`] as { scope?: string }).scope === "language-overridable");
}

/** The settings that someone has set, the innermost layer first; what nobody has set is left to the server. */
export function chosen(names: string[], inspect: (name: string) => Layers | undefined, apiKey?: string): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const name of names) {
    const value = inForce(inspect(name));
    if (value !== undefined) found[name] = value;
  }
  if (apiKey) found["apiKey"] = apiKey;
  return found;
}

/** Of the layers, those of one place alone: a folder's author wrote what stands in the workspace's, and in one of its folders'. */
export function standing(layers: Layers | undefined, place: Place | "folder"): Layers {
  const { globalValue, globalLanguageValue, languageIds, ...rest } = layers ?? {};
  const { workspaceFolderValue, workspaceFolderLanguageValue } = rest;
  const held = place === "user" ? { globalValue, globalLanguageValue } : place === "workspace" ? rest : { workspaceFolderValue, workspaceFolderLanguageValue };
  return { ...held, ...(languageIds && { languageIds }) };
}

/** A folder's own settings as the server takes them: one that is off is excluded, and the other folders stay as they are. */
export function ofFolder(settings: Record<string, unknown>, uri: string): Record<string, unknown> {
  if (settings["enabled"] !== false || !uri.startsWith("file:")) return settings;
  const { exclude } = settings;
  const rest = Object.fromEntries(Object.entries(settings).filter(([name]) => name !== "enabled"));
  return { ...rest, exclude: [...(Array.isArray(exclude) ? (exclude as unknown[]) : []), uri] };
}

/** The known language that an unknown one is likely to mean, if any. */
export function meant(language: string, known: readonly string[]): string | undefined {
  if (known.includes(language)) return undefined;
  return known.find((one) => one.length > 3 && slips(one, language) === 1);
}

/** 1 where one letter more, less, other or out of turn makes the difference; else 0 or 2. */
function slips(one: string, other: string): number {
  if (one === other) return 0;
  let start = 0;
  while (start < Math.min(one.length, other.length) && one[start] === other[start]) start++;
  const [a, b] = [one.slice(start), other.slice(start)];
  const turned = a.length > 1 && b.length > 1 && a[0] === b[1] && a[1] === b[0] && a.slice(2) === b.slice(2);
  return a.slice(1) === b || a === b.slice(1) || a.slice(1) === b.slice(1) || turned ? 1 : 2;
}

/** `languages` with what the editor holds for one language alone, as in `"[go]": { "fimLsp.multiline": "never" }`. */
export function byLanguage(all: unknown, names: string[], inspect: (name: string, language?: string) => Layers | undefined): unknown {
  const found: Record<string, unknown> = table(all) ? { ...all } : {};
  for (const name of names) {
    for (const language of inspect(name)?.languageIds ?? []) {
      const value = inForce(alone(inspect(name, language)));
      if (value !== undefined) found[language] = { ...own(found[language]), [name]: value };
    }
  }
  return Object.keys(found).length ? found : all;
}

/** What the layers hold for one language alone. */
function alone(layers: Layers | undefined): Layers {
  return {
    globalValue: layers?.globalLanguageValue,
    workspaceValue: layers?.workspaceLanguageValue,
    workspaceFolderValue: layers?.workspaceFolderLanguageValue,
  };
}

/** What a row of `languages` sets: false alone is no more than that. */
function own(row: unknown): Record<string, unknown> {
  return table(row) ? row : row === false ? { enabled: false } : {};
}

/** A setting's value in force, undefined if nobody has set it: tables are joined, as the editor itself joins them, and lists. */
export function inForce(layers: Layers | undefined): unknown {
  const held = [layers?.globalValue, layers?.workspaceValue, layers?.workspaceFolderValue].filter((value) => value !== undefined);
  if (held.length > 1 && held.every(Array.isArray)) return held.flat();
  return held.length > 1 && held.every(table) ? Object.assign({}, ...held) : held.at(-1);
}

/** Where a value of that kind stands: each place has to change for the other value to count, as the stricter one does. */
export function places(layers: Layers | undefined, holds: (value: unknown) => boolean): Place[] {
  return (["user", "workspace"] as const).filter((place) => holds(inForce(standing(layers, place))));
}

/** What is to be changed so that a language is on where it was off, or off where it was on. */
export interface Switch {
  name: "languages" | "enabled";
  on: boolean;
  changes: { place: Place; value: unknown }[];
}

/** The same for one language: `enabled` if it is set for that language alone, else its row of `languages`. */
export function switched(languages: Layers | undefined, enabled: Layers | undefined, language: string): Switch {
  const its = alone(enabled);
  const own = places(its, (value) => value === false);
  if (own.length) return { name: "enabled", on: true, changes: own.map((place) => ({ place, value: true })) };
  const off = places(languages, (value) => row(value, language)["enabled"] === false);
  const [set] = places(its, (value) => value !== undefined).reverse();
  if (set && !off.length) return { name: "enabled", on: false, changes: [{ place: set, value: false }] };
  const [named = "user"] = places(languages, (value) => table(value) && language in value).reverse();
  const on = off.length > 0;
  const changes = (on ? off : [named]).map((place) => {
    const there = inForce(standing(languages, place));
    const rows = table(there) ? there : {};
    const held = rows[language];
    return { place, value: { ...rows, [language]: table(held) ? { ...held, enabled: on } : on } };
  });
  return { name: "languages", on, changes };
}

function row(languages: unknown, language: string): Record<string, unknown> {
  return own(table(languages) ? languages[language] : undefined);
}

function table(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The endpoint's root: `/beta`, `/v1` and a `/` at the end of an address all mean the same. */
export function root(baseUrl: string): string {
  return baseUrl.trim().replace(/(\/+(beta|v1|completions))*\/*$/, "");
}

/** The endpoint in force, by what the server says, else the setting, else `FIM_LSP_BASE_URL`; and what is to be said of it. */
export function endpoint(server: string | undefined, setting: string | undefined, environment: string | undefined): { url: string; said: string } {
  const url = root([server, setting, environment, SERVICE].find((one) => one?.trim()) ?? SERVICE);
  const asked = url === SERVICE ? "" : ` ${l10n.t("Asked: {0}.", url)}`;
  const other = environment?.trim() && root(environment) !== url;
  // What the variable holds is not repeated: an address may hold a password.
  return { url, said: asked + (other ? ` ${l10n.t("FIM_LSP_BASE_URL names another endpoint, which fimLsp.baseUrl overrules.")}` : "") };
}

/** The host that an address names; the address itself where it is none. */
export function host(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}

/** A text in which none of these secrets occurs, neither as it is nor as JSON writes it; a short one is found between quotes alone. */
export function without(text: string, ...secrets: (string | undefined)[]): string {
  return secrets.reduce<string>((left, secret) => {
    if (!secret) return left;
    const written = JSON.stringify(secret);
    const forms = secret.length < SHORT ? [written] : [written.slice(1, -1), secret];
    return forms.reduce((all, form) => all.split(form).join(secret.length < SHORT ? '"***"' : "***"), left);
  }, text);
}

/** The values of the user's headers, and of those of each fallback: what is never shown. */
export function headerValues(headers: unknown, fallback: unknown): string[] {
  const entries = Array.isArray(fallback) ? (fallback as unknown[]) : [];
  const tables = [headers, ...entries.map((entry) => (table(entry) ? entry["headers"] : undefined))];
  return tables.filter(table).flatMap((one) => Object.values(one).filter((value) => typeof value === "string"));
}
