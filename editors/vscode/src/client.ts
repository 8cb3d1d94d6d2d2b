// The language client: the server's process, what it is told, and when it is started again.
import * as vscode from "vscode";
import { CloseAction, ErrorAction, LanguageClient, State, type LanguageClientOptions } from "vscode-languageclient/node";
import { backOff } from "./crashes";
import { candidates, find } from "./python";
import { chosen, gone, serverNames, without } from "./settings";
import type { Status, Usage } from "./wording";

const SELECTOR = ["file", "untitled", "vscode-notebook-cell", "vscode-vfs", "vscode-remote"].map((scheme) => ({ scheme }));

/** What is known of a server that does not run. */
const NOTHING: Status = {
  state: "error", message: "", model: "", requests: 0, promptTokens: 0, cacheHitTokens: 0, completionTokens: 0, localHits: 0,
};

export class Server implements vscode.Disposable {
  private client: LanguageClient | undefined;
  private readonly heard = new vscode.EventEmitter<Status>();
  private readonly names: string[];
  private readonly stops: number[] = [];
  private given: Record<string, unknown> = {};
  private turn: Promise<void> = Promise.resolve();
  /** Each time the server tells that its state has changed. */
  readonly status = this.heard.event;

  constructor(
    private readonly context: vscode.ExtensionContext,
    readonly log: vscode.LogOutputChannel,
    private readonly key: () => string | undefined,
  ) {
    const manifest = context.extension.packageJSON as { contributes: { configuration: { properties: Record<string, unknown> } } };
    this.names = serverNames(manifest.contributes.configuration.properties);
  }

  start(): Promise<void> {
    return this.inTurn(() => this.begin());
  }

  restart(): Promise<void> {
    return this.inTurn(async () => {
      await this.end();
      await this.begin();
    });
  }

  /** One after another: two servers at once would each draw its own ghost text. */
  private inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.turn.then(work);
    this.turn = done.catch((error: unknown) => {
      this.trouble(`The server cannot be started: ${without(String(error), this.key())}`);
    });
    return this.turn;
  }

  private trouble(message: string): void {
    this.log.error(message);
    this.heard.fire({ ...NOTHING, message });
  }

  private async begin(): Promise<void> {
    const command = await this.command();
    if (!command) return;
    const [program = "", ...args] = command;
    if (vscode.workspace.getConfiguration("fimLsp").get("demo")) args.push("--demo");
    this.client = new LanguageClient("fimLsp", "fim-lsp", { command: program, args }, this.options());
    this.client.onNotification("fimLsp/status", (status: Status) => {
      this.heard.fire(status);
    });
    this.client.onDidChangeState(({ newState }) => {
      if (newState === State.Running) void this.look();
    });
    await this.client.start();
  }

  private async end(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    if (client?.needsStop()) await client.stop();
  }

  dispose(): void {
    void this.end();
    this.heard.dispose();
  }

  /** Tell the server of the settings in force. */
  configure(): Promise<void> {
    return this.inTurn(async () => {
      if (!this.client?.isRunning()) return;
      const settings = this.settings();
      if (gone(this.given, settings)) {
        // What was told at the start stays in force there until another value takes its place.
        await this.end();
        await this.begin();
      } else {
        await this.client.sendNotification("workspace/didChangeConfiguration", { settings: { fimLsp: settings } });
      }
    });
  }

  async ask<T>(command: string, ...args: unknown[]): Promise<T | undefined> {
    if (!this.client?.isRunning()) return undefined;
    return this.client.sendRequest<T>("workspace/executeCommand", { command: `fimLsp.${command}`, arguments: args });
  }

  async look(): Promise<void> {
    const status = await this.ask<Status>("status");
    if (status) this.heard.fire(status);
  }

  usage(): Promise<Usage | undefined> {
    return this.ask<Usage>("usage");
  }

  private settings(): Record<string, unknown> {
    const configuration = vscode.workspace.getConfiguration("fimLsp");
    return chosen(this.names, (name) => configuration.inspect(name), this.key());
  }

  private options(): LanguageClientOptions {
    return {
      documentSelector: SELECTOR,
      outputChannel: this.log,
      traceOutputChannel: this.keyless(),
      // A function: a server that is started again after a crash hears of today's key, not of the first one.
      initializationOptions: () => {
        this.given = this.settings();
        return { ...this.given, statusNotifications: true };
      },
      middleware: {
        // The ghost text is the one suggestion; a second one in the menu would only be in its way.
        provideCompletionItem: (document, position, context, token, next) =>
          vscode.workspace.getConfiguration("editor", document).get("inlineSuggest.enabled")
            ? undefined
            : next(document, position, context, token),
        workspace: {
          configuration: (params, token, next) =>
            params.items.some((item) => item.section === "fimLsp") ? params.items.map(() => this.settings()) : next(params, token),
          didChangeConfiguration: () => this.configure(),
        },
      },
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue }),
        closed: async () => {
          const now = Date.now();
          this.stops.push(now);
          const wait = backOff(this.stops, now);
          if (wait === undefined) {
            void this.gaveUp();
            return { action: CloseAction.DoNotRestart, handled: true };
          }
          this.log.warn(`The server has stopped: starting it again in ${wait} ms.`);
          await new Promise((resolve) => setTimeout(resolve, wait));
          return { action: CloseAction.Restart, handled: true };
        },
      },
    };
  }

  private async gaveUp(): Promise<void> {
    const said = "fim-lsp: the server stops again and again. Its log says why.";
    this.trouble(said);
    this.stops.length = 0;
    const answer = await vscode.window.showErrorMessage(said, "Open log", "Start again");
    if (answer === "Open log") this.log.show();
    if (answer === "Start again") await this.restart();
  }

  /** The log, for traces: whoever writes the key writes stars. */
  private keyless(): vscode.LogOutputChannel {
    const clean = (text: string) => without(text, this.key());
    return new Proxy(this.log, {
      get: (log, name) => {
        if (name === "append") return (text: string) => { log.append(clean(text)); };
        if (name === "appendLine") return (text: string) => { log.appendLine(clean(text)); };
        if (name === "trace") return (text: string) => { log.info(clean(text)); };
        const member: unknown = Reflect.get(log, name);
        return typeof member === "function" ? (member.bind(log) as unknown) : member;
      },
    });
  }

  private async command(): Promise<string[] | undefined> {
    const configuration = vscode.workspace.getConfiguration("fimLsp");
    const own = configuration.get<string[]>("serverCommand", []);
    if (own.length) return own;
    const setting = configuration.get<string>("pythonPath", "");
    const tried = candidates(setting, await environment(), process.platform === "win32");
    const { command, old } = await find(tried);
    if (command) {
      const run = vscode.Uri.joinPath(this.context.extensionUri, "bundled", "run.py").fsPath;
      return [...command, "-I", "-B", run];
    }
    const why = old.length ? `${old.join(", ")}: too old` : setting ? `${setting} is none` : "none was found";
    const said = `fim-lsp needs Python 3.11 or newer, and ${why}. Install one, or name it in the settings.`;
    this.trouble(said);
    void vscode.window.showErrorMessage(said, "Open settings").then((answer) => {
      if (answer) void vscode.commands.executeCommand("workbench.action.openSettings", "fimLsp.pythonPath");
    });
    return undefined;
  }
}

/** The interpreter that the Python extension has chosen, in a folder that is trusted. */
async function environment(): Promise<string | undefined> {
  const extension = vscode.workspace.isTrusted ? vscode.extensions.getExtension("ms-python.python") : undefined;
  if (!extension) return undefined;
  try {
    const api = (await extension.activate()) as {
      environments: {
        getActiveEnvironmentPath(): unknown;
        resolveEnvironment(path: unknown): Promise<{ executable: { uri?: vscode.Uri } } | undefined>;
      };
    };
    const found = await api.environments.resolveEnvironment(api.environments.getActiveEnvironmentPath());
    return found?.executable.uri?.fsPath;
  } catch {
    return undefined;
  }
}
