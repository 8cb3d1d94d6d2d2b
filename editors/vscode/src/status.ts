// The status bar's item: the state at a glance, the session in its hover, the menu behind it.
import * as vscode from "vscode";
import type { Server } from "./client";
import { asleep, hover, label, look, NOTHING, type Look, type Nap, type Status } from "./wording";

const CALM = 400; // ms without news, after which the hover is renewed

export class StatusItem implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("fimLsp.status", vscode.StatusBarAlignment.Right, 90);
  private last = NOTHING;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly server: Server) {
    this.item.name = "fim-lsp";
    this.item.command = "fim.menu";
    this.item.text = label("busy");
    this.item.accessibilityInformation = { label: "fim-lsp starting" };
    this.item.show();
    server.status((status) => {
      this.show(status);
    });
  }

  get look(): Look {
    return look(this.last);
  }

  /** Where nothing comes by itself for a while. */
  get naps(): Nap[] {
    return this.last.snoozed ?? [];
  }

  get model(): string {
    return this.last.model;
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.item.dispose();
  }

  private show(status: Status): void {
    this.last = status;
    this.item.text = label(this.look, asleep(status));
    this.item.accessibilityInformation = { label: `fim-lsp ${this.look} ${status.message}` };
    if (status.message) this.item.tooltip = status.message;
    this.item.backgroundColor =
      status.state === "error" ? new vscode.ThemeColor("statusBarItem.warningBackground") : undefined;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.tell(), CALM);
  }

  private async tell(): Promise<void> {
    const shown = this.last;
    const status = await this.server.ask<Status>("status");
    const usage = await this.server.usage();
    if (status && this.last === shown) this.item.tooltip = new vscode.MarkdownString(hover(status, usage?.total), true);
  }
}
