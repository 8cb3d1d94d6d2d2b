// The extension: a server, a key, a status bar item, and the commands that join them.
import * as vscode from "vscode";
import { Server } from "./client";
import { Key } from "./key";
import { Pages } from "./pages";
import { StatusItem } from "./status";
import { explained } from "./wording";

const HOUR = 3_600_000; // ms
const MODELS = ["deepseek-flash", "deepseek-v4-pro"];

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const begun = performance.now();
  const configuration = () => vscode.workspace.getConfiguration("fimLsp");
  const log = vscode.window.createOutputChannel("fim-lsp", { log: true });
  const key = new Key(
    context.secrets,
    () => configuration().get<string>("baseUrl", ""),
    async () => {
      if (configuration().get("demo")) await configuration().update("demo", undefined, vscode.ConfigurationTarget.Global);
      else await server.configure();
    },
  );
  const server = new Server(context, log, () => key.current);
  const status = new StatusItem(server);
  const pages = new Pages();
  let resume: NodeJS.Timeout | undefined;

  async function pause(): Promise<void> {
    clearTimeout(resume);
    const paused = status.state === "paused";
    await server.ask("toggle");
    if (!paused) {
      resume = setTimeout(() => {
        if (status.state === "paused") void server.ask("toggle");
      }, HOUR);
    }
  }

  async function toggleLanguage(): Promise<void> {
    const language = vscode.window.activeTextEditor?.document.languageId;
    if (!language) return;
    const languages = configuration().get<Record<string, boolean>>("languages", {});
    const off = languages[language] === false;
    await configuration().update("languages", { ...languages, [language]: off }, vscode.ConfigurationTarget.Global);
    void vscode.window.showInformationMessage(`fim-lsp: ${language} is ${off ? "on" : "off"}.`);
  }

  async function changeModel(): Promise<void> {
    const other = "Another…";
    const picked = await vscode.window.showQuickPick([...MODELS, other], { placeHolder: `Model: ${status.model ?? ""}` });
    const model = picked === other ? await vscode.window.showInputBox({ prompt: "The model's name" }) : picked;
    if (model) await configuration().update("model", model, vscode.ConfigurationTarget.Global);
  }

  async function explain(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    if (!editor) return;
    const { line, character } = editor.selection.active;
    const found = await server.ask<Record<string, unknown>>("explain", {
      uri: editor.document.uri.toString(),
      position: { line, character },
    });
    await pages.show("the request at the cursor", explained(found ?? { problem: "The server is not running." }));
  }

  async function usage(): Promise<void> {
    await pages.show("what completions cost today.json", JSON.stringify((await server.usage()) ?? {}, null, 2));
  }

  async function demo(): Promise<void> {
    await configuration().update("demo", true, vscode.ConfigurationTarget.Global);
    const text = "def total(prices):\n    return sum(prices)\n\n\ndef mean(prices):\n    return ";
    const document = await vscode.workspace.openTextDocument({ language: "python", content: text });
    const editor = await vscode.window.showTextDocument(document);
    const end = document.positionAt(text.length);
    editor.selection = new vscode.Selection(end, end);
  }

  async function menu(): Promise<void> {
    const language = vscode.window.activeTextEditor?.document.languageId;
    const entries: [string, () => unknown][] = [
      status.state === "paused" ? ["$(play) Go on", pause] : ["$(debug-pause) Pause for an hour", pause],
      ...(language ? [[`$(code) Toggle for ${language}`, toggleLanguage] as [string, () => unknown]] : []),
      ["$(symbol-misc) Change model", changeModel],
      ["$(key) Set API key", () => key.set()],
      ["$(question) Explain the request at the cursor", explain],
      ["$(graph) What completions cost", usage],
      ["$(output) Open log", () => { log.show(); }],
      ["$(refresh) Restart the server", () => server.restart()],
    ];
    const picked = await vscode.window.showQuickPick(entries.map(([name]) => name), { title: "fim-lsp" });
    await entries.find(([name]) => name === picked)?.[1]();
  }

  const commands: Record<string, () => unknown> = {
    setApiKey: () => key.set(),
    removeApiKey: () => key.remove(),
    openLog: () => { log.show(); },
    restart: () => server.restart(),
    menu, pause, toggleLanguage, changeModel, explain, usage, demo,
  };
  for (const [name, run] of Object.entries(commands)) {
    context.subscriptions.push(vscode.commands.registerCommand(`fim.${name}`, run));
  }
  context.subscriptions.push(
    log, server, status, pages.register(),
    { dispose: () => { clearTimeout(resume); } },
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (["pythonPath", "serverCommand", "demo"].some((name) => event.affectsConfiguration(`fimLsp.${name}`))) await server.restart();
      else if (event.affectsConfiguration("fimLsp")) await server.configure();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => server.configure()),
  );
  await key.load();
  log.info(`Ready to start the server after ${(performance.now() - begun).toFixed(0)} ms.`);
  await server.start();
  if (!key.current && !context.globalState.get("greeted") && !configuration().get("demo")) {
    await context.globalState.update("greeted", true);
    await vscode.commands.executeCommand("workbench.action.openWalkthrough", "fim-lsp.fim-lsp#start", false);
  }
}
