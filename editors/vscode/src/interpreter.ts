// The interpreter that is chosen in the Python extension.
import * as vscode from "vscode";

const PATIENCE = 5_000; // ms for the Python extension to say which one it is

/** What is used here of https://github.com/microsoft/vscode-python/tree/main/pythonExtensionApi. */
interface Api {
  environments: {
    getActiveEnvironmentPath(): unknown;
    resolveEnvironment(path: unknown): Promise<{ executable: { uri?: vscode.Uri } } | undefined>;
    onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

export class Interpreter implements vscode.Disposable {
  private watched: vscode.Disposable | undefined;

  /** `changed` is called when another one is chosen, once somebody has asked for it. */
  constructor(private readonly changed: () => void) {}

  /** Its path, in a folder that is trusted. */
  async chosen(): Promise<string | undefined> {
    const extension = vscode.workspace.isTrusted ? vscode.extensions.getExtension<Api>("ms-python.python") : undefined;
    if (!extension) return undefined;
    const late = new Promise<undefined>((resolve) => setTimeout(() => { resolve(undefined); }, PATIENCE));
    return Promise.race([this.told(extension).catch(() => undefined), late]);
  }

  dispose(): void {
    this.watched?.dispose();
  }

  private async told(extension: vscode.Extension<Api>): Promise<string | undefined> {
    const { environments } = await extension.activate();
    this.watched ??= environments.onDidChangeActiveEnvironmentPath(this.changed);
    const found = await environments.resolveEnvironment(environments.getActiveEnvironmentPath());
    return found?.executable.uri?.fsPath;
  }
}
