// The language client: the server's process, what it is told, and when it is started again.
import * as vscode from "vscode";
import { CloseAction, ErrorAction, LanguageClient, State, type LanguageClientOptions } from "vscode-languageclient/node";
import { command } from "./command";
import { configuration, folders, layers } from "./configuration";
import { backOff } from "./crashes";
import { Interpreter } from "./interpreter";
import { button, inOurWords, offer, type Message } from "./messages";
import { show } from "./say";
import { byLanguage, chosen, headerValues, host, inForce, ofFolder, overridable, properties, serverNames, standing, without, type Place, type Properties } from "./settings";
import { Trace } from "./trace";
import type { Usage } from "./usage";
import { NOTHING, type Status, type Withheld } from "./wording";

const SELECTOR = ["file", "untitled", "vscode-notebook-cell", "vscode-vfs", "vscode-remote", "vscode-scm"].map((scheme) => ({ scheme }));

/** The library's client; what it would say in messages of its own is in the log, and said once by the extension. */
class Quiet extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

export class Server implements vscode.Disposable {
  private client: LanguageClient | undefined;
  /** Whether the server has answered since it was last begun; called when it ends before. */
  private greeted = false;
  private diedEarly: (error: Error) => void = () => undefined;
  private last = NOTHING;
  private readonly heard = new vscode.EventEmitter<Status>();
  private readonly asked = new vscode.EventEmitter<void>();
  private readonly trace: Trace;
  readonly names: string[];
  private readonly byLanguage: string[];
  private readonly stops: number[] = [];
  private readonly interpreter = new Interpreter(() => void this.renew());
  private words: string[] = [];
  private turn: Promise<void> = Promise.resolve();
  private leaving = false;
  /** Each time the server tells that its state has changed. */
  readonly status = this.heard.event;
  /** Each time the user asks for a suggestion by a key. */
  readonly invoked = this.asked.event;
  /** When the server's process was last started, by `performance.now()`. */
  started = 0;

  constructor(
    private readonly context: vscode.ExtensionContext,
    readonly log: vscode.LogOutputChannel,
    private readonly key: () => string | undefined,
    private readonly paused: () => boolean,
  ) {
    const manifest = context.extension.packageJSON as { contributes: { configuration: { properties: Properties }[] } };
    const all = properties(manifest.contributes.configuration);
    this.names = serverNames(all);
    this.byLanguage = overridable(all);
    this.trace = new Trace(log, () => [key(), ...headerValues(inForce(layers("headers")), inForce(layers("fallback")))]);
  }

  /** Start it, once something else is there as well: its process is looked for meanwhile. */
  start(also: Promise<void>): Promise<void> {
    return this.inTurn(() => this.begin(also));
  }

  restart(): Promise<void> {
    return this.inTurn(() => this.anew());
  }

  /** Start it anew if another program is to run it now. */
  private renew(): Promise<void> {
    return this.inTurn(async () => {
      const found = await this.command();
      if ("problem" in found || found.words.join("\0") === this.words.join("\0")) return;
      await this.anew();
    });
  }

  /** The words that run another command of the program, without the demo; undefined where nothing runs it. */
  async wordsOf(...more: string[]): Promise<string[] | undefined> {
    const found = await this.command();
    return "problem" in found ? undefined : [...found.words.filter((word) => word !== "--demo"), ...more];
  }

  private command(): ReturnType<typeof command> {
    return command(this.context.extensionUri, bytecode(this.context), this.interpreter);
  }

  /** One after another: two servers at once would each draw its own ghost text. */
  private inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.turn.then(() => (this.leaving ? undefined : work()));
    this.turn = done.catch((error: unknown) => {
      this.log.error(without(String(error), this.key()));
      this.failed();
    });
    return this.turn;
  }

  private trouble(message: string): void {
    this.log.error(message);
    this.hear({ ...NOTHING, state: "error", message });
  }

  /** Say once that the server does not start, and what can be done. */
  private failed(): void {
    const [own] = configuration().get<string[]>("serverCommand", []);
    const text = own
      ? vscode.l10n.t("Check the setting fimLsp.serverCommand: {0} does not start, or ends at once.", own)
      : vscode.l10n.t("The server does not start, or ends at once. Its log says why.");
    this.trouble(text);
    const buttons = [...(own ? [button.settings("fimLsp.serverCommand")] : []), button.log(), button.restart()];
    void show({ text, buttons }, 1);
  }

  private hear(status: Status): void {
    this.last = { ...status, message: inOurWords(status.message, this.names) };
    this.heard.fire(this.last);
  }

  private async begin(also?: Promise<void>): Promise<void> {
    const [found] = await Promise.all([this.command(), also]);
    if ("problem" in found) {
      this.trouble(found.problem);
      void show({ text: found.problem, buttons: [button.settings("fimLsp.pythonPath")] }, 1);
      return;
    }
    this.words = found.words;
    const [program = "", ...args] = found.words;
    this.client = new Quiet("fimLsp", "fim-lsp", { command: program, args }, this.options());
    this.client.onNotification("fimLsp/status", (status: Status) => {
      this.hear(status);
    });
    this.client.onNotification("fimLsp/message", (message: Message) => {
      this.tell(message);
    });
    this.client.onDidChangeState(({ newState }) => {
      if (newState === State.Running) void this.look();
    });
    this.started = performance.now();
    this.greeted = false;
    const early = new Promise<never>((_, reject) => { this.diedEarly = reject; });
    await Promise.race([this.client.start(), early]);
    this.greeted = true;
  }

  private tell(message: Message): void {
    const { baseUrl = "", model, apiKey = true } = this.last;
    void show(offer(message, { host: host(baseUrl), model, apiKey, names: this.names }), message.type);
  }

  private async anew(): Promise<void> {
    await this.end();
    await this.begin();
  }

  private async end(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    try {
      if (client?.needsStop()) await client.stop();
    } catch (error) {
      // One that hangs does not answer; its process is killed, and the next one is started all the same.
      this.log.warn(without(String(error), this.key()));
    }
  }

  /** End the server, once what is under way with it is done. */
  leave(): Promise<void> {
    this.leaving = true;
    return this.turn.then(() => this.end());
  }

  dispose(): void {
    void this.leave();
    this.interpreter.dispose();
    this.trace.dispose();
    this.heard.dispose();
    this.asked.dispose();
  }

  /** Tell the server of the settings in force. */
  configure(): Promise<void> {
    return this.inTurn(async () => {
      if (this.client?.isRunning()) await this.client.sendNotification("fimLsp/options", this.told());
    });
  }

  /** What the server answers to a command; undefined if it does not run, or stops meanwhile. */
  async ask<T>(name: string, ...args: unknown[]): Promise<T | undefined> {
    await this.turn;
    if (!this.client?.isRunning()) return undefined;
    try {
      return await this.client.sendRequest<T>("workspace/executeCommand", { command: `fimLsp.${name}`, arguments: args });
    } catch (error) {
      this.log.warn(`fimLsp.${name}: ${without(String(error), this.key())}`);
      return undefined;
    }
  }

  /** Throw away what other versions have kept. */
  async tidy(): Promise<void> {
    const folder = this.context.globalStorageUri;
    const kept = bytecode(this.context).path;
    try {
      for (const [name] of await vscode.workspace.fs.readDirectory(folder)) {
        const one = vscode.Uri.joinPath(folder, name);
        if (one.path !== kept) await vscode.workspace.fs.delete(one, { recursive: true });
      }
    } catch {
      // There is none yet.
    }
  }

  async look(): Promise<void> {
    const status = await this.ask<Status>("status");
    if (status) this.hear(status);
  }

  /** The status, and with it why nothing is offered in a document, if so. */
  async about(uri: vscode.Uri | undefined): Promise<(Status & { withheld?: Withheld }) | undefined> {
    const status = await this.ask<Status & { withheld?: Withheld }>("status", ...(uri ? [{ uri: uri.toString() }] : []));
    return status && { ...status, message: inOurWords(status.message, this.names) };
  }

  /** Say whether there is a pause; a server that is started later hears of it at its start. */
  async pause(): Promise<void> {
    await this.ask("toggle", this.paused());
  }

  usage(what?: { by: "model" | "day"; days: number }): Promise<Usage | undefined> {
    return this.ask<Usage>("usage", ...(what ? [what] : []));
  }

  /** The user's settings and the folder's apart: the server lets the latter only make things stricter. */
  private told(): Record<string, unknown> {
    const each = folders().map(({ uri }) => ofFolder(this.settings("folder", uri), uri.toString()));
    return { fimLsp: this.settings("user"), folderSettings: [this.settings("workspace"), ...each] };
  }

  private settings(place: Place | "folder", uri?: vscode.Uri): Record<string, unknown> {
    const inspect = (name: string, language?: string) => standing(layers(name, language, uri), place);
    const all = chosen(this.names, inspect, place === "user" ? this.key() : undefined);
    const languages = byLanguage(all["languages"], this.byLanguage, inspect);
    return languages === undefined ? all : { ...all, languages };
  }

  private options(): LanguageClientOptions {
    return {
      documentSelector: SELECTOR,
      outputChannel: this.trace.channel,
      traceOutputChannel: this.trace.channel,
      // A function: a server that is started again after a crash hears of today's key, not of the first one.
      initializationOptions: () => ({ ...this.told(), statusNotifications: true, messageNotifications: true, paused: this.paused() }),
      initializationFailedHandler: () => false,
      middleware: {
        provideInlineCompletionItems: (document, position, context, token, next) => {
          if (context.triggerKind === vscode.InlineCompletionTriggerKind.Invoke) this.asked.fire();
          return next(document, position, context, token);
        },
        // The ghost text is the one suggestion; a second one in the menu would only be in its way.
        provideCompletionItem: (document, position, context, token, next) =>
          vscode.workspace.getConfiguration("editor", document).get("inlineSuggest.enabled")
            ? undefined
            : next(document, position, context, token),
        workspace: {
          configuration: (params, token, next) =>
            params.items.some((item) => item.section === "fimLsp") ? params.items.map(() => this.settings("workspace")) : next(params, token),
          didChangeConfiguration: () => this.configure(),
        },
      },
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: async () => {
          const { client } = this;
          if (!this.greeted) {
            this.diedEarly(new Error("The server has ended before it answered."));
            return { action: CloseAction.DoNotRestart, handled: true };
          }
          const now = Date.now();
          this.stops.push(now);
          const wait = backOff(this.stops, now);
          if (wait === undefined) {
            this.gaveUp();
            return { action: CloseAction.DoNotRestart, handled: true };
          }
          this.log.warn(`The server has stopped: starting it again in ${wait} ms.`);
          this.hear(NOTHING);
          await new Promise((resolve) => setTimeout(resolve, wait));
          // Meanwhile another may have been started, or none may be wanted.
          const wanted = client === this.client && !this.leaving;
          return { action: wanted ? CloseAction.Restart : CloseAction.DoNotRestart, handled: true };
        },
      },
    };
  }

  private gaveUp(): void {
    const text = vscode.l10n.t("The server stops again and again. Its log says why.");
    this.trouble(text);
    this.stops.length = 0;
    void show({ text, buttons: [button.log(), button.restart()] }, 1);
  }
}

/** Where the server's bytecode is kept: without it, each start would compile all of it anew. */
function bytecode(context: vscode.ExtensionContext): vscode.Uri {
  const { version } = context.extension.packageJSON as { version: string };
  return vscode.Uri.joinPath(context.globalStorageUri, `bytecode-${version}`);
}
