// What the palette, the walkthrough and the status bar's menu offer.
import * as vscode from "vscode";
import { check } from "./check";
import type { Server } from "./client";
import { configuration, layers } from "./configuration";
import { look, unusable } from "./find";
import type { Key } from "./key";
import type { Pages } from "./pages";
import type { Pause } from "./pause";
import { endpoint, inForce, places, switched, type Place, type Switch } from "./settings";
import type { StatusItem } from "./status";
import { costs } from "./usage";
import { explained, type Status } from "./wording";

const MINUTES = [5, 15, 60];
const MODELS = ["deepseek-flash", "deepseek-v4-pro"];
const DEMO = "def total(prices):\n    return sum(prices)\n\n\ndef mean(prices):\n    return ";
const TARGETS = { user: vscode.ConfigurationTarget.Global, workspace: vscode.ConfigurationTarget.Workspace };
const SETTINGS = { user: "your settings", workspace: "this workspace's settings" };

export class Commands {
  constructor(
    private readonly server: Server,
    private readonly status: StatusItem,
    private readonly key: Key,
    private readonly paused: Pause,
    private readonly pages: Pages,
  ) {}

  /** Offer each as `fim.` and its name. */
  register(): vscode.Disposable {
    const all: Record<string, () => unknown> = {
      setApiKey: () => this.setApiKey(),
      removeApiKey: () => this.removeApiKey(),
      findModel: () => this.findModel(),
      teamServer: () => this.teamServer(),
      menu: () => this.menu(),
      pause: () => this.pause(),
      snooze: () => this.snooze(),
      resume: () => this.resume(),
      toggleLanguage: () => this.toggleLanguage(),
      changeModel: () => this.changeModel(),
      explain: () => this.explain(),
      usage: () => this.usage(),
      openLog: () => { this.server.log.show(); },
      restart: () => this.server.restart(),
      demo: () => this.demo(),
    };
    return vscode.Disposable.from(...Object.entries(all).map(([name, run]) => vscode.commands.registerCommand(`fim.${name}`, run)));
  }

  private async menu(): Promise<void> {
    const language = vscode.window.activeTextEditor?.document.languageId;
    const entries: [string, () => unknown][] = [
      this.goOn() ?? ["$(debug-pause) Pause for an hour", () => this.pause()],
      [this.status.naps.length ? "$(bell) Wake" : "$(bell-slash) Snooze for some minutes", () => this.snooze()],
      ...(language ? [this.languageEntry(language)] : []),
      ["$(symbol-misc) Change model", () => this.changeModel()],
      ["$(key) Set API key", () => this.setApiKey()],
      ["$(question) Explain the request at the cursor", () => this.explain()],
      ["$(graph) What completions cost", () => this.usage()],
      ["$(output) Open log", () => { this.server.log.show(); }],
      ["$(refresh) Restart the server", () => this.server.restart()],
    ];
    const picked = await vscode.window.showQuickPick(entries.map(([name]) => name), { title: "fim-lsp" });
    await entries.find(([name]) => name === picked)?.[1]();
  }

  /** What starts completions again, where something stops them. */
  private goOn(): [string, () => unknown] | undefined {
    const { look } = this.status;
    if (look === "off") return [`$(play) Switch on: fimLsp.enabled is off in ${named(this.offIn())}`, () => this.enable()];
    if (look === "spent" && !this.paused.on) return ["$(play) Go on over the budget until tomorrow", () => this.resume()];
    return this.paused.on || look === "paused" ? ["$(play) Go on", () => this.pause()] : undefined;
  }

  private async resume(): Promise<void> {
    const status = await this.server.ask("resume");
    if (status) say("completions go on until tomorrow, whatever the budget.");
  }

  /** Let nothing come by itself for some minutes: everywhere, in this language, in this file; or again. */
  private async snooze(): Promise<void> {
    const { naps } = this.status;
    if (naps.length) {
      await this.server.ask("snooze", { minutes: 0 });
      return;
    }
    const document = vscode.window.activeTextEditor?.document;
    const here: [string, object][] = document
      ? [[`In ${document.languageId}`, { language: document.languageId }], ["In this file", { uri: document.uri.toString() }]]
      : [];
    const where = await chosenOf("FIM: Snooze", [["Everywhere", {}], ...here]);
    const minutes = where && (await chosenOf("FIM: Snooze for", MINUTES.map((one) => [`${one} minutes`, one])));
    if (minutes) await this.server.ask("snooze", { ...where, minutes });
  }

  private async pause(): Promise<void> {
    if (this.status.look === "off") {
      const answer = await vscode.window.showInformationMessage(
        `fim-lsp: completions are off: fimLsp.enabled is false in ${named(this.offIn())}.`, "Switch on",
      );
      if (answer) await this.enable();
    } else if (this.paused.on || this.status.look === "paused") {
      await this.paused.end();
    } else {
      await this.paused.begin();
    }
  }

  private offIn(): Place[] {
    return places(layers("enabled"), (value) => value === false);
  }

  private async enable(): Promise<void> {
    const off = this.offIn();
    await this.paused.end();
    for (const place of off) await configuration().update("enabled", true, TARGETS[place]);
    if (this.offIn().length) say("fimLsp.enabled stays off: what sets it cannot be changed from here.");
    else say(`completions are on, in ${named(off)}.`);
  }

  private languageEntry(language: string): [string, () => unknown] {
    const { on, changes } = change(language);
    return [`$(code) Switch ${language} ${on ? "on" : "off"}, in ${named(changes.map(({ place }) => place))}`, () => this.toggleLanguage()];
  }

  private async toggleLanguage(): Promise<void> {
    const language = vscode.window.activeTextEditor?.document.languageId;
    if (!language) return;
    const { name, on, changes } = change(language);
    for (const { place, value } of changes) await configuration(language).update(name, value, TARGETS[place], name === "enabled");
    if (change(language).on === on) say(`${language} stays ${on ? "off" : "on"}: what sets it cannot be changed from here.`);
    else say(`${language} is ${on ? "on" : "off"}, in ${named(changes.map(({ place }) => place))}.`);
  }

  private async changeModel(): Promise<void> {
    const other = "Another…";
    const picked = await vscode.window.showQuickPick([...MODELS, other], { placeHolder: `Model: ${this.status.model}` });
    const model = picked === other ? await vscode.window.showInputBox({ prompt: "The model's name" }) : picked;
    if (!model) return;
    await configuration().update("model", model, TARGETS.user);
    say(`the model is ${model}, in ${SETTINGS.user}.`);
  }

  /** Ask for a key, keep it, and say what the service says to it. */
  private async setApiKey(): Promise<void> {
    const given = await vscode.window.showInputBox({
      title: "FIM: Set API key",
      prompt: "The key of your account at the service; it is kept in the editor's secret store.",
      password: true,
      ignoreFocusOut: true,
      validateInput: (text) => (/^[!-~]*$/.test(text.trim()) ? undefined : "Letters, digits and signs, without spaces."),
    });
    const key = given?.trim();
    if (!key) return;
    await this.key.keep(key);
    if (configuration().get("demo")) await configuration().update("demo", undefined, vscode.ConfigurationTarget.Global);
    const server = await this.server.ask<Status>("status");
    const { url, said } = endpoint(server?.baseUrl, inForce(layers("baseUrl")) as string | undefined, process.env["FIM_LSP_BASE_URL"]);
    const verdict = await check(url, key);
    if (verdict.good) say(verdict.text + said);
    else void vscode.window.showWarningMessage(`fim-lsp: ${verdict.text}${said}`);
  }

  private async removeApiKey(): Promise<void> {
    await this.key.drop();
    say("the key is removed.");
  }

  /** Look for an engine on this machine, and use the one that is picked. */
  private async findModel(): Promise<void> {
    const words = await this.server.wordsOf("doctor", "--find", "--json");
    const where = { location: vscode.ProgressLocation.Notification, title: "fim-lsp: looking for a model on this machine" };
    const found = await vscode.window.withProgress(where, () => look(words ?? []));
    if (!found.length) {
      say("no engine answers on this machine's usual ports. Start llama.cpp's server, Ollama or LM Studio, or set fimLsp.baseUrl.");
      return;
    }
    const entries = found.map(({ baseUrl, engine, model }) => ({ label: `${engine} ${model}`, description: baseUrl }));
    const picked = await vscode.window.showQuickPick(entries, { title: "FIM: A model on this machine" });
    if (picked) await this.use(picked.description);
  }

  /** Ask for the address of a server, and use it; a key is asked for where one is wanted. */
  private async teamServer(): Promise<void> {
    const given = await vscode.window.showInputBox({
      title: "FIM: My team's server",
      prompt: "Its address, with or without /v1. Headers that it wants go into fimLsp.headers.",
      placeHolder: "https://models.example/v1",
      ignoreFocusOut: true,
      validateInput: (text) => (text ? unusable(text) : undefined),
    });
    if (!given) return;
    await this.use(given.trim());
    if ((await vscode.window.showInformationMessage("fim-lsp: does it want a key?", "Set API key")) !== undefined) await this.setApiKey();
  }

  private async use(baseUrl: string): Promise<void> {
    if (configuration().get("demo")) await configuration().update("demo", undefined, TARGETS.user);
    await configuration().update("baseUrl", baseUrl, TARGETS.user);
    say(`asked is ${baseUrl} now, in ${SETTINGS.user}.`);
  }

  private async explain(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    if (!editor) return;
    const { line, character } = editor.selection.active;
    const where = { uri: editor.document.uri.toString(), position: { line, character } };
    const found = await this.server.ask<Record<string, unknown>>("explain", where);
    await this.pages.show("the request at the cursor", explained(found ?? { problem: "The server is not running." }));
  }

  private async usage(): Promise<void> {
    const today = await this.server.usage();
    await this.pages.show("what completions cost", costs(today, await this.server.usage({ by: "day", days: 7 })));
  }

  private async demo(): Promise<void> {
    await configuration().update("demo", true, vscode.ConfigurationTarget.Global);
    const document = await vscode.workspace.openTextDocument({ language: "python", content: DEMO });
    const editor = await vscode.window.showTextDocument(document);
    const end = document.positionAt(DEMO.length);
    editor.selection = new vscode.Selection(end, end);
    // Once the demo's server is there, it shows what it can without a key being pressed.
    await this.server.ask("status");
    await vscode.commands.executeCommand("editor.action.inlineSuggest.trigger");
  }
}

/** What is picked of some entries; undefined if none is. */
async function chosenOf<T>(title: string, entries: [string, T][]): Promise<T | undefined> {
  const picked = await vscode.window.showQuickPick(entries.map(([name]) => name), { title });
  return entries.find(([name]) => name === picked)?.[1];
}

function change(language: string): Switch {
  return switched(layers("languages"), layers("enabled", language), language);
}

function named(where: Place[]): string {
  return where.map((place) => SETTINGS[place]).join(" and ") || SETTINGS.user;
}

function say(text: string): void {
  void vscode.window.showInformationMessage(`fim-lsp: ${text}`);
}
