// The extension: a server, a key, a status bar item, and the commands that join them.
import * as vscode from "vscode";
import { Server } from "./client";
import { Commands } from "./commands";
import { layers } from "./configuration";
import { Key } from "./key";
import { button } from "./messages";
import { Pages } from "./pages";
import { Pause } from "./pause";
import { show } from "./say";
import { inForce, meant } from "./settings";
import { StatusItem } from "./status";

/** Names whose change needs another process. */
const PROCESS = ["pythonPath", "serverCommand", "demo"];
let running: Server | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const begun = performance.now();
  const log = vscode.window.createOutputChannel("fim-lsp", { log: true });
  const key: Key = new Key(context.secrets, () => server.configure());
  const pause: Pause = new Pause(context.workspaceState, () => void server.pause());
  const server: Server = new Server(context, log, () => key.current, () => pause.on);
  const status = new StatusItem(server, pause);
  const pages = new Pages();
  const commands = new Commands(server, status, key, pause, pages);
  running = server;
  const misspelt = new Set<string>();
  context.subscriptions.push(
    log, server, status, pause, key.watch(), pages, commands.register(),
    server.invoked(() => { commands.unanswered(); }),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (PROCESS.some((name) => event.affectsConfiguration(`fimLsp.${name}`))) await server.restart();
      else if (event.affectsConfiguration("fimLsp")) await server.configure();
      else return;
      await status.refresh();
      if (event.affectsConfiguration("fimLsp.languages")) await spell(misspelt);
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => server.configure()),
    vscode.workspace.onDidChangeWorkspaceFolders(() => server.configure()),
  );
  const loaded = key.load().catch((error: unknown) => {
    log.error(`The secret store cannot be read: ${String(error)}`);
  });
  await server.start(loaded);
  if (server.started) {
    const after = (at: number) => (at - begun).toFixed(0);
    log.info(`From activation: ${after(server.started)} ms to the server's start, ${after(performance.now())} to its greeting.`);
  }
  void server.tidy();
  await greet(server, context.globalState);
  await spell(misspelt);
}

export async function deactivate(): Promise<void> {
  await running?.leave();
}

/** Once for a user without a key, from wherever: say how to begin, beside the work and not over it. */
async function greet(server: Server, kept: vscode.Memento): Promise<void> {
  if (kept.get("greeted")) return;
  const status = await server.about(undefined);
  if (status?.apiKey !== false) return;
  await kept.update("greeted", true);
  const text = vscode.l10n.t("Set an API key to have code completed, or try it without one.");
  void show({ text, buttons: [button.setApiKey(), button.demo(), button.showHow()] }, 3);
}

/** Ask about languages in the settings that nobody knows, but that are nearly one that is known. */
async function spell(told: Set<string>): Promise<void> {
  const named = Object.keys((inForce(layers("languages")) as Record<string, unknown> | undefined) ?? {});
  if (!named.length) return;
  const known = await vscode.languages.getLanguages();
  for (const name of named) {
    const right = meant(name, known);
    if (!right || told.has(name)) continue;
    told.add(name);
    const text = vscode.l10n.t("Write {0} in fimLsp.languages? No language is called {1}.", right, name);
    void show({ text, buttons: [button.settings("fimLsp.languages")] }, 2);
  }
}
