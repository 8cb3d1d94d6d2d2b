// The editor's settings of ours, for all languages or for one.
import * as vscode from "vscode";
import type { Layers } from "./settings";

export function configuration(languageId?: string): vscode.WorkspaceConfiguration {
  return vscode.workspace.getConfiguration("fimLsp", languageId === undefined ? undefined : { languageId });
}

export function layers(name: string, languageId?: string): Layers | undefined {
  return configuration(languageId).inspect(name);
}
