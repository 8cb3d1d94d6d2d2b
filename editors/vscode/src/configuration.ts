// The editor's settings of ours, for all languages or for one, in all folders or in one.
import * as vscode from "vscode";
import { OURS } from "./messages";
import { OF_THE_MACHINE, type Layers } from "./settings";

export function configuration(languageId?: string, uri?: vscode.Uri): vscode.WorkspaceConfiguration {
  const scope = { ...(uri && { uri }), ...(languageId !== undefined && { languageId }) };
  return vscode.workspace.getConfiguration("fimLsp", Object.keys(scope).length ? (scope as vscode.ConfigurationScope) : undefined);
}

export function layers(name: string, languageId?: string, uri?: vscode.Uri): Layers | undefined {
  return configuration(languageId, uri).inspect(name);
}

/** The folders of a workspace of several, which have settings of their own. */
export function folders(): readonly vscode.WorkspaceFolder[] {
  return vscode.workspace.workspaceFile ? (vscode.workspace.workspaceFolders ?? []) : [];
}

/** Show settings in the editor for them. */
export function openSettings(query = OURS): Thenable<unknown> {
  return vscode.env.remoteName && OF_THE_MACHINE.some((name) => query.includes(`fimLsp.${name}`))
    ? vscode.commands.executeCommand("workbench.action.openRemoteSettings", { query })
    : vscode.commands.executeCommand("workbench.action.openSettings", query);
}
