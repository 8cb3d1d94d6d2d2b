// What starts the server: the user's own command, or a Python that runs the one that comes with the extension.
import * as vscode from "vscode";
import { configuration } from "./configuration";
import type { Interpreter } from "./interpreter";
import { candidates, find } from "./python";

/** The command's words, or what stands in its way; the server that comes with the extension keeps its bytecode in `cache`. */
export async function command(
  extension: vscode.Uri,
  cache: vscode.Uri,
  interpreter: Pick<Interpreter, "chosen">,
): Promise<{ words: string[] } | { problem: string }> {
  const settings = configuration();
  const own = settings.get<string[]>("serverCommand", []);
  const demo = settings.get("demo") ? ["--demo"] : [];
  if (own.length) return { words: [...own, ...demo] };
  const setting = settings.get<string>("pythonPath", "");
  const tried = candidates(setting, setting ? undefined : await interpreter.chosen(), process.platform === "win32");
  const { command: python, old } = await find(tried);
  if (python) {
    const run = vscode.Uri.joinPath(extension, "bundled", "run.py").fsPath;
    return { words: [...python, "-I", "-X", `pycache_prefix=${cache.fsPath}`, run, ...demo] };
  }
  const why = old.length
    ? vscode.l10n.t("{0}, which is too old", old.join(", "))
    : setting
      ? vscode.l10n.t("{0} is not a Python that runs", setting)
      : vscode.l10n.t("none was found");
  return { problem: vscode.l10n.t("Install Python 3.11 or newer, or name one in the settings: {0}.", why) };
}
