// What the palette, the walkthrough and the status bar's menu offer.
import * as vscode from "vscode";
import { check } from "./check";
import type { Server } from "./client";
import { configuration, layers, openSettings } from "./configuration";
import { explained, type Explained } from "./explained";
import { look, unusable } from "./find";
import type { Key } from "./key";
import { askForKey } from "./key_box";
import { button, type Offer } from "./messages";
import type { Pages } from "./pages";
import type { Pause } from "./pause";
import { say, show } from "./say";
import { endpoint, host, inForce, places, switched, type Place, type Switch } from "./settings";
import type { StatusItem } from "./status";
import { costs } from "./usage";
import { clock, type Status } from "./wording";

const MINUTES = [5, 15, 60];
const MODELS = ["deepseek-flash", "deepseek-v4-pro"];
const SAMPLE = [
  "# Grey text is a suggestion: Tab takes it, Escape sends it away, typing on changes it.",
  "prices = [2.5, 4.0, 1.5]", "",
  "for price in prices:", '    print(f"{price:.2f}")', "",
  'print("once more")', "for price in ",
].join("\n");
const TARGETS = { user: vscode.ConfigurationTarget.Global, workspace: vscode.ConfigurationTarget.Workspace };

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
    const all: Record<string, (given: string) => unknown> = {
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
      clearCache: () => this.clearCache(),
      openLog: () => { this.server.log.show(); },
      restart: () => this.server.restart(),
      demo: () => this.demo(),
      leaveDemo: () => this.leaveDemo(),
      sample: () => this.sample(),
      walkthrough: () => vscode.commands.executeCommand("workbench.action.openWalkthrough", "fim-lsp.fim-lsp#start", false),
      openSettings: (query) => openSettings(query),
      openPage: (address) => vscode.env.openExternal(vscode.Uri.parse(address)),
    };
    return vscode.Disposable.from(...Object.entries(all).map(([name, run]) => vscode.commands.registerCommand(`fim.${name}`, run)));
  }

  private async menu(): Promise<void> {
    const language = vscode.window.activeTextEditor?.document.languageId;
    const t = vscode.l10n.t;
    const { demo, look } = this.status;
    const entries: [string, () => unknown][] = [
      this.goOn() ?? [`$(debug-pause) ${t("Pause for an hour")}`, () => this.pause()],
      [this.status.naps.length ? `$(bell) ${t("Wake")}` : `$(bell-slash) ${t("Snooze for some minutes")}`, () => this.snooze()],
      ...(language ? [this.languageEntry(language)] : []),
      ...(look === "off" ? [] : [[`$(circle-slash) ${t("Switch off until you switch it on again")}`, () => this.disable()] as [string, () => unknown]]),
      demo
        ? [`$(sign-out) ${t("Leave the demo")}`, () => this.leaveDemo()]
        : [`$(symbol-misc) ${t("Change model")}`, () => this.changeModel()],
      [`$(key) ${t("Set API key")}`, () => this.setApiKey()],
      ...(this.key.current ? [[`$(trash) ${t("Remove API key")}`, () => this.removeApiKey()] as [string, () => unknown]] : []),
      [`$(question) ${t("Explain the request at the cursor")}`, () => this.explain()],
      [`$(graph) ${t("What completions cost")}`, () => this.usage()],
      [`$(gear) ${t("Settings")}`, () => openSettings()],
      ...(demo ? [] : [[`$(beaker) ${t("Try without a key: the demo")}`, () => this.demo()] as [string, () => unknown]]),
      [`$(book) ${t("Walkthrough")}`, () => vscode.commands.executeCommand("fim.walkthrough")],
      [`$(output) ${t("Open log")}`, () => { this.server.log.show(); }],
      [`$(refresh) ${t("Restart the server")}`, () => this.server.restart()],
    ];
    const picked = await vscode.window.showQuickPick(entries.map(([name]) => name), { title: "fim-lsp" });
    await entries.find(([name]) => name === picked)?.[1]();
  }

  /** What starts completions again, where something stops them. */
  private goOn(): [string, () => unknown] | undefined {
    const { look } = this.status;
    const t = vscode.l10n.t;
    if (look === "off") return [`$(play) ${t("Switch on: fimLsp.enabled is off in {0}", named(this.offIn()))}`, () => this.enable()];
    if (look === "spent" && !this.paused.on) return [`$(play) ${t("Go on over the budget until tomorrow")}`, () => this.resume()];
    return this.paused.on || look === "paused" ? [`$(play) ${t("Go on")}`, () => this.pause()] : undefined;
  }

  /** Somebody asks for a suggestion by a key: say why there is none, where something stops them all. */
  unanswered(): void {
    const offer = this.stopped();
    if (offer) void show(offer, 3);
  }

  private stopped(): Offer | undefined {
    const t = vscode.l10n.t;
    const until = this.paused.endsAt;
    switch (this.status.look) {
      case "paused": return {
        text: until ? t("Completions are paused until {0}.", clock(until)) : t("Completions are paused."),
        buttons: [{ title: t("Go on"), command: "fim.pause" }],
      };
      case "off": return { text: t("Completions are off, in {0}.", named(this.offIn())), buttons: [{ title: t("Switch on"), command: "fim.pause" }] };
      case "language": return { text: t("Completions are off in this language."), buttons: [{ title: t("Switch on"), command: "fim.toggleLanguage" }] };
      case "excluded": return { text: t("Nothing of this file is sent: it is excluded."), buttons: [button.settings("fimLsp.exclude")] };
      case "spent": return { text: t("The budget that you set is used: completions are paused."), buttons: [button.resume()] };
      default: return undefined;
    }
  }

  private async resume(): Promise<void> {
    const status = await this.server.ask("resume");
    if (status) say(vscode.l10n.t("Completions go on until tomorrow, whatever the budget."));
  }

  /** Let nothing come by itself for some minutes: everywhere, in this language, in this file; or again. */
  private async snooze(): Promise<void> {
    const t = vscode.l10n.t;
    if (this.status.naps.length) {
      await this.server.ask("snooze", { minutes: 0 });
      return;
    }
    const document = vscode.window.activeTextEditor?.document;
    const here: [string, object][] = document
      ? [[t("In {0}", document.languageId), { language: document.languageId }], [t("In this file"), { uri: document.uri.toString() }]]
      : [];
    const where = await chosenOf(t("Snooze"), [[t("Everywhere"), {}], ...here]);
    const minutes = where && (await chosenOf(t("Snooze"), MINUTES.map((one) => [t("{0} minutes", one), one])));
    if (minutes) await this.server.ask("snooze", { ...where, minutes });
  }

  private async pause(): Promise<void> {
    if (this.status.look === "off") await this.enable();
    else if (this.paused.on || this.status.look === "paused") await this.paused.end();
    else await this.paused.begin();
  }

  private offIn(): Place[] {
    return places(layers("enabled"), (value) => value === false);
  }

  private async enable(): Promise<void> {
    const off = this.offIn();
    await this.paused.end();
    for (const place of off) await configuration().update("enabled", true, TARGETS[place]);
    if (this.offIn().length) say(vscode.l10n.t("fimLsp.enabled stays off: what sets it cannot be changed from here."));
    else say(vscode.l10n.t("Completions are on, in {0}.", named(off)));
  }

  private async disable(): Promise<void> {
    await configuration().update("enabled", false, TARGETS.user);
    void show({ text: vscode.l10n.t("Completions are off, in {0}.", named(["user"])), buttons: [{ title: vscode.l10n.t("Switch on"), command: "fim.pause" }] }, 3);
  }

  private languageEntry(language: string): [string, () => unknown] {
    const { on, changes } = change(language);
    const where = named(changes.map(({ place }) => place));
    const what = on ? vscode.l10n.t("Switch {0} on, in {1}", language, where) : vscode.l10n.t("Switch {0} off, in {1}", language, where);
    return [`$(code) ${what}`, () => this.toggleLanguage()];
  }

  private async toggleLanguage(): Promise<void> {
    const t = vscode.l10n.t;
    const language = vscode.window.activeTextEditor?.document.languageId;
    if (!language) {
      say(t("Open a file of the language first."));
      return;
    }
    const { name, on, changes } = change(language);
    for (const { place, value } of changes) await configuration(language).update(name, value, TARGETS[place], name === "enabled");
    const where = named(changes.map(({ place }) => place));
    if (change(language).on === on) {
      say(on ? t("{0} stays off: what sets it cannot be changed from here.", language) : t("{0} stays on: what sets it cannot be changed from here.", language));
    } else say(on ? t("{0} is on, in {1}.", language, where) : t("{0} is off, in {1}.", language, where));
  }

  private async changeModel(): Promise<void> {
    const t = vscode.l10n.t;
    const other = t("Another…");
    const picked = await vscode.window.showQuickPick([...MODELS, other], { placeHolder: t("Model: {0}", this.status.model) });
    const model = picked === other ? await vscode.window.showInputBox({ prompt: t("The model's name") }) : picked;
    if (!model) return;
    await configuration().update("model", model, TARGETS.user);
    say(t("The model is {0}, in {1}.", model, named(["user"])));
  }

  /** Ask for a key and what the service says to it; one that it refuses takes no other's place. */
  private async setApiKey(): Promise<void> {
    const server = await this.server.about(undefined);
    const { url, said } = endpoint(server?.baseUrl, inForce(layers("baseUrl")) as string | undefined, process.env["FIM_LSP_BASE_URL"]);
    const key = await askForKey(host(url));
    if (!key) return;
    const verdict = await check(url, key);
    if (verdict.state === "refused") {
      const kept = this.key.current ? ` ${vscode.l10n.t("The key before it stays.")}` : "";
      await show({ text: verdict.text + kept + said, buttons: [{ title: vscode.l10n.t("Try again"), command: "fim.setApiKey" }] }, 2);
      return;
    }
    await this.key.keep(key);
    await this.endDemo();
    void show({ text: verdict.text + said, buttons: [] }, verdict.state === "good" ? 3 : 2);
  }

  private async removeApiKey(): Promise<void> {
    await this.key.drop();
    const elsewhere = (await this.server.ask<Status>("status"))?.apiKey;
    say(elsewhere
      ? vscode.l10n.t("The key is removed from the secret store; the environment or config.toml gives another.")
      : vscode.l10n.t("The key is removed: nothing is completed without one."));
  }

  /** Look for an engine on this machine, and use the one that is picked. */
  private async findModel(): Promise<void> {
    const words = await this.server.wordsOf("doctor", "--find", "--json");
    const where = { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t("fim-lsp looks for a model on this machine") };
    const found = await vscode.window.withProgress(where, () => look(words ?? []));
    if (!found.length) {
      const text = vscode.l10n.t("Start llama.cpp's server, Ollama or LM Studio, or set fimLsp.baseUrl: no engine answers on this machine's usual ports.");
      void show({ text, buttons: [button.settings("fimLsp.baseUrl")] }, 3);
      return;
    }
    const entries = found.map(({ baseUrl, engine, model }) => ({ label: `${engine} ${model}`, description: baseUrl }));
    const picked = await vscode.window.showQuickPick(entries, { title: vscode.l10n.t("A model on this machine") });
    if (!picked) return;
    await this.use(picked.description);
    say(vscode.l10n.t("{0} is asked from here on, in {1}.", picked.description, named(["user"])));
  }

  /** Ask for the address of a server, and use it; a key is asked for where one is wanted. */
  private async teamServer(): Promise<void> {
    const given = await vscode.window.showInputBox({
      title: vscode.l10n.t("My team's server"),
      prompt: vscode.l10n.t("Its address, with or without /v1. Headers that it wants go into fimLsp.headers."),
      placeHolder: "https://models.example/v1",
      ignoreFocusOut: true,
      validateInput: (text) => (text ? unusable(text) : undefined),
    });
    if (!given) return;
    await this.use(given.trim());
    void show({ text: vscode.l10n.t("{0} is asked from here on. Does it want a key?", given.trim()), buttons: [button.setApiKey()] }, 3);
  }

  private async use(baseUrl: string): Promise<void> {
    await this.endDemo();
    await configuration().update("baseUrl", baseUrl, TARGETS.user);
  }

  private async explain(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    if (!editor) {
      say(vscode.l10n.t("Open a file and put the cursor where a completion would come."));
      return;
    }
    const { line, character } = editor.selection.active;
    const where = { uri: editor.document.uri.toString(), position: { line, character } };
    const found = await this.server.ask<Explained>("explain", where);
    this.pages.show(vscode.l10n.t("the request at the cursor"), explained(found ?? { problem: vscode.l10n.t("The server is not running.") }));
  }

  private async usage(): Promise<void> {
    const today = await this.server.usage();
    const page = costs(today, await this.server.usage({ by: "day", days: 7 }), this.status.demo);
    this.pages.show(vscode.l10n.t("what completions cost"), page);
  }

  private async clearCache(): Promise<void> {
    if ((await this.server.ask("clearCache")) !== undefined) say(vscode.l10n.t("The answers that were kept are forgotten."));
  }

  private async demo(): Promise<void> {
    await configuration().update("demo", true, TARGETS.user);
    await this.sample();
    const text = vscode.l10n.t("This is the demo: a small model in the extension answers, and nothing leaves this machine.");
    void show({ text, buttons: [button.leaveDemo(), button.setApiKey()] }, 3);
  }

  private async leaveDemo(): Promise<void> {
    await this.endDemo();
    const status = await this.server.ask<Status>("status");
    if (status?.demo) say(vscode.l10n.t("The demo stays: fimLsp.demo cannot be changed from here."));
    else if (status?.apiKey === false) {
      void show({ text: vscode.l10n.t("The demo has ended. Set an API key to have code completed."), buttons: [button.setApiKey()] }, 3);
    } else say(vscode.l10n.t("The demo has ended: {0} completes.", status?.model ?? ""));
  }

  private async endDemo(): Promise<void> {
    if (configuration().get("demo")) await configuration().update("demo", undefined, TARGETS.user);
  }

  /** A file to try it in, with its first suggestion asked for. */
  private async sample(): Promise<void> {
    const document = await vscode.workspace.openTextDocument({ language: "python", content: SAMPLE });
    const editor = await vscode.window.showTextDocument(document);
    const end = document.positionAt(SAMPLE.length);
    editor.selection = new vscode.Selection(end, end);
    // Once the server is there, it shows what it can without a key being pressed.
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
  const names = { user: vscode.l10n.t("your settings"), workspace: vscode.l10n.t("this workspace's settings") };
  return where.map((place) => names[place]).join(vscode.l10n.t(" and ")) || names.user;
}
