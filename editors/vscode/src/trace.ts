// The log as the language client sees it: `fimLsp.trace.server` alone says what of the talk is written, and keys and headers never are.
import * as vscode from "vscode";
import { without } from "./settings";

export class Trace implements vscode.Disposable {
  private readonly levels = new vscode.EventEmitter<vscode.LogLevel>();
  private readonly listening: vscode.Disposable;
  readonly channel: vscode.LogOutputChannel;

  constructor(log: vscode.LogOutputChannel, secrets: () => (string | undefined)[]) {
    const clean = (text: string) => without(text, ...secrets());
    const lines = (level: "debug" | "info" | "warn" | "error") => (text: string | Error, ...rest: unknown[]) => {
      log[level](clean(String(text)), ...rest.map((one) => clean(String(one))));
    };
    const own = new Map<PropertyKey, unknown>([
      ["append", (text: string) => { log.append(clean(text)); }],
      ["appendLine", (text: string) => { log.appendLine(clean(text)); }],
      ["replace", (text: string) => { log.replace(clean(text)); }],
      // At the channel's usual level what the setting asks for would not be written.
      ["trace", lines("info")], ["debug", lines("debug")], ["info", lines("info")], ["warn", lines("warn")], ["error", lines("error")],
      ["onDidChangeLogLevel", this.levels.event],
    ]);
    this.channel = new Proxy(log, {
      get: (_, name) => {
        // The client traces only where the channel's level is the lowest.
        if (name === "logLevel") return level();
        if (own.has(name)) return own.get(name);
        const member: unknown = Reflect.get(log, name);
        return typeof member === "function" ? (member.bind(log) as unknown) : member;
      },
    });
    this.listening = vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("fimLsp.trace")) this.levels.fire(level());
    });
  }

  dispose(): void {
    this.listening.dispose();
    this.levels.dispose();
  }
}

function level(): vscode.LogLevel {
  const asked = vscode.workspace.getConfiguration("fimLsp").get<string>("trace.server", "off");
  return asked === "off" ? vscode.LogLevel.Info : vscode.LogLevel.Trace;
}
