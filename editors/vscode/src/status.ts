// The status bar's item: the state at a glance, of the document that is open as well, the session in its hover, the menu behind it.
import * as vscode from "vscode";
import type { Server } from "./client";
import { SERVICE_HOST } from "./messages";
import type { Pause } from "./pause";
import { host } from "./settings";
import { asleep, hover, label, look, NOTHING, spoken, type Look, type Nap, type Status, type Surroundings } from "./wording";

const CALM = 400; // ms without news, after which the hover is renewed
const COMMANDS = ["fim.demo", "fim.leaveDemo", "fim.pause", "fim.resume", "fim.setApiKey", "fim.snooze", "fim.toggleLanguage", "fim.usage"];

export class StatusItem implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("fimLsp.status", vscode.StatusBarAlignment.Right, 90);
  private last = NOTHING;
  private around: Surroundings = {};
  private timer: NodeJS.Timeout | undefined;
  private readonly listening: vscode.Disposable;

  constructor(
    private readonly server: Server,
    private readonly paused: Pick<Pause, "endsAt">,
  ) {
    this.item.name = "fim-lsp";
    this.item.command = "fim.menu";
    this.item.text = label("busy");
    this.item.accessibilityInformation = { label: "fim-lsp starting" };
    this.item.show();
    this.listening = vscode.Disposable.from(
      server.status((status) => { this.show(status); }),
      vscode.window.onDidChangeActiveTextEditor(() => this.refresh()),
    );
  }

  get look(): Look {
    return look(this.last, this.around);
  }

  /** Where nothing comes by itself for a while. */
  get naps(): Nap[] {
    return this.last.snoozed ?? [];
  }

  get model(): string {
    return this.last.model;
  }

  get demo(): boolean {
    return this.last.demo === true;
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.listening.dispose();
    this.item.dispose();
  }

  /** Ask the server how it is, and how the active document is. */
  async refresh(): Promise<void> {
    const document = vscode.window.activeTextEditor?.document;
    const status = await this.server.about(document?.uri);
    if (!status || document !== vscode.window.activeTextEditor?.document) return;
    this.around = { withheld: status.withheld ?? "", language: document?.languageId };
    this.show(status);
  }

  private show(status: Status): void {
    this.last = status;
    const around = (this.around = { ...this.around, until: this.paused.endsAt, asleep: asleep(status) });
    const shown = look(status, around);
    this.item.text = label(shown, around, status.demo);
    this.item.accessibilityInformation = { label: spoken(status, around) };
    this.item.tooltip = this.markdown(hover(status, around));
    const wrong = shown === "error" || shown === "refused" || shown === "keyless";
    this.item.backgroundColor = wrong ? new vscode.ThemeColor("statusBarItem.warningBackground") : undefined;
    contexts(status);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.tell(), CALM);
  }

  private async tell(): Promise<void> {
    const shown = this.last;
    const document = vscode.window.activeTextEditor?.document;
    const status = await this.server.about(document?.uri);
    const usage = await this.server.usage();
    if (!status || this.last !== shown || document !== vscode.window.activeTextEditor?.document) return;
    this.around = { ...this.around, withheld: status.withheld ?? "", language: document?.languageId, asleep: asleep(status) };
    this.item.text = label(look(status, this.around), this.around, status.demo);
    this.item.accessibilityInformation = { label: spoken(status, this.around) };
    this.item.tooltip = this.markdown(hover(status, this.around, usage?.total));
    contexts(status);
  }

  private markdown(text: string): vscode.MarkdownString {
    const made = new vscode.MarkdownString(text, true);
    made.isTrusted = { enabledCommands: COMMANDS };
    return made;
  }
}

/** What the walkthrough's steps wait for. */
function contexts({ apiKey, demo, acceptance, baseUrl = "" }: Status): void {
  const asked = host(baseUrl);
  const here = /^(localhost|127\.|\[::1\])/.test(asked);
  void vscode.commands.executeCommand("setContext", "fimLsp.onMachine", here && demo !== true);
  void vscode.commands.executeCommand("setContext", "fimLsp.elsewhere", asked !== "" && asked !== SERVICE_HOST && !here && demo !== true);
  const taken = acceptance && acceptance.all + acceptance.line + acceptance.word + acceptance.typed > 0;
  void vscode.commands.executeCommand("setContext", "fimLsp.inDemo", demo === true);
  void vscode.commands.executeCommand("setContext", "fimLsp.hasKey", apiKey === true && demo !== true);
  if (taken) void vscode.commands.executeCommand("setContext", "fimLsp.taken", true);
}
