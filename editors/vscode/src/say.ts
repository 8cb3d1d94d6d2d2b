// Messages to the user, with buttons that help.
import * as vscode from "vscode";
import type { Offer } from "./messages";

/** Show a message: `type` as the protocol counts, 1 an error, 2 a warning, 3 news. */
export async function show({ text, buttons }: Offer, type: number): Promise<void> {
  const titles = buttons.map(({ title }) => title);
  const said = `fim-lsp: ${text}`;
  const picked = await (type === 1
    ? vscode.window.showErrorMessage(said, ...titles)
    : type === 2
      ? vscode.window.showWarningMessage(said, ...titles)
      : vscode.window.showInformationMessage(said, ...titles));
  const button = buttons.find(({ title }) => title === picked);
  if (button) await vscode.commands.executeCommand(button.command, ...(button.arguments ?? []));
}

export function say(text: string): void {
  void show({ text, buttons: [] }, 3);
}
