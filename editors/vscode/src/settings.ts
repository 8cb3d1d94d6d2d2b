// What the server is told of the user's settings: those that were set, and the key.

/** One setting as the editor holds it, layer by layer; undefined where a layer does not set it. */
export interface Layers {
  globalValue?: unknown;
  workspaceValue?: unknown;
  workspaceFolderValue?: unknown;
}

/** Names that are ours alone, or that the server must not hear of from here. */
const OURS = new Set(["pythonPath", "serverCommand", "demo", "trace.server", "apiKey"]);

/** The names of the server's settings, from the manifest's properties. */
export function serverNames(properties: Record<string, unknown>): string[] {
  return Object.keys(properties)
    .map((name) => name.replace(/^fimLsp\./, ""))
    .filter((name) => !OURS.has(name));
}

/** The settings that someone has set, the innermost layer first; what nobody has set is left to the server. */
export function chosen(names: string[], inspect: (name: string) => Layers | undefined, apiKey?: string): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const name of names) {
    const layers = inspect(name);
    const value = layers?.workspaceFolderValue ?? layers?.workspaceValue ?? layers?.globalValue;
    if (value !== undefined) found[name] = value;
  }
  if (apiKey) found["apiKey"] = apiKey;
  return found;
}

/** Whether something was told that is no longer set: telling the rest would leave it in force. */
export function gone(told: Record<string, unknown>, now: Record<string, unknown>): boolean {
  return Object.keys(told).some((name) => (now[name] ?? null) === null && (told[name] ?? null) !== null);
}

/** The endpoint's root: `/beta`, `/v1` and a `/` at the end of an address all mean the same. */
export function root(baseUrl: string): string {
  return baseUrl.trim().replace(/(\/+(beta|v1|completions))*\/*$/, "");
}

/** A text in which the key does not occur. */
export function without(text: string, key: string | undefined): string {
  return key ? text.split(key).join("***") : text;
}
