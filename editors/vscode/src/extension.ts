// The extension: a server, a key, a status bar item, and the commands that join them.
import * as vscode from "vscode";
import { Server } from "./client";
import { Commands } from "./commands";
import { configuration } from "./configuration";
import { Key } from "./key";
import { Pages } from "./pages";
import { Pause } from "./pause";
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
  const status = new StatusItem(server);
  const pages = new Pages();
  running = server;
  context.subscriptions.push(
    log, server, status, pause, key.watch(), pages.register(),
    new Commands(server, status, key, pause, pages).register(),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (PROCESS.some((name) => event.affectsConfiguration(`fimLsp.${name}`))) await server.restart();
      else if (event.affectsConfiguration("fimLsp")) await server.configure();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => server.configure()),
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
  if (!key.current && !context.globalState.get("greeted") && !configuration().get("demo")) {
    await context.globalState.update("greeted", true);
    await vscode.commands.executeCommand("workbench.action.openWalkthrough", "fim-lsp.fim-lsp#start", false);
  }
}

export async function deactivate(): Promise<void> {
  await running?.leave();
}
