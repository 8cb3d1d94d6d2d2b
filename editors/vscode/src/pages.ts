// Read-only pages: what would be sent, and what it cost.
import * as vscode from "vscode";
import type { Html } from "./html";

export class Pages implements vscode.Disposable {
  private readonly shown = new Map<string, vscode.WebviewPanel>();

  /** Show a page, in the place of an older one of that name. */
  show(name: string, page: Html): void {
    const held = this.shown.get(name);
    const panel = held ?? vscode.window.createWebviewPanel("fimLsp.page", name, vscode.ViewColumn.Active, { enableFindWidget: true });
    panel.webview.html = page.html;
    if (held) held.reveal();
    this.shown.set(name, panel);
    panel.onDidDispose(() => this.shown.delete(name));
  }

  dispose(): void {
    for (const panel of this.shown.values()) panel.dispose();
  }
}
