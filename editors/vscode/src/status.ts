// The status bar's item: the state at a glance, the session in its hover, the menu behind it.
import * as vscode from "vscode";
import type { Server } from "./client";
import { hover, label, type Status } from "./wording";

const CALM = 400; // ms without news, after which the hover is renewed

export class StatusItem implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("fimLsp.status", vscode.StatusBarAlignment.Right, 90);
  private last: Status | undefined;
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

  get state(): Status["state"] | undefined {
    return this.last?.state;
  }

  get model(): string | undefined {
    return this.last?.model;
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.item.dispose();
  }

  private show(status: Status): void {
    this.last = status;
    this.item.text = label(status.state);
    this.item.accessibilityInformation = { label: `fim-lsp ${status.state} ${status.message}` };
    if (status.message) this.item.tooltip = status.message;
    this.item.backgroundColor =
      status.state === "error" ? new vscode.ThemeColor("statusBarItem.warningBackground") : undefined;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.tell(status.state), CALM);
  }

  private async tell(state: Status["state"]): Promise<void> {
    const status = await this.server.ask<Status>("status");
    if (!status || this.last?.state !== state) return;
    const text = new vscode.MarkdownString(hover(status, (await this.server.usage()) ?? {}), true);
    this.item.tooltip = text;
  }
}
