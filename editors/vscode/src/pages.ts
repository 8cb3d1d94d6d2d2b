// Read-only pages: what would be sent, and what it cost.
import * as vscode from "vscode";
import type { Html } from "./html";

export class Pages implements vscode.Disposable {
  private readonly shown = new Map<string, vscode.WebviewPanel>();

  /** Show a page, in the place of an older one of that name. */
  show(name: string, page: Html): void {
    const panel = this.shown.get(name) ?? this.open(name);
    panel.webview.html = page.html;
    panel.reveal();
  }

  private open(name: string): vscode.WebviewPanel {
    const panel = vscode.window.createWebviewPanel("fimLsp.page", name, vscode.ViewColumn.Active, { enableFindWidget: true });
    panel.onDidDispose(() => this.shown.delete(name));
    this.shown.set(name, panel);
    return panel;
  }

  dispose(): void {
    for (const panel of this.shown.values()) panel.dispose();
  }
}
