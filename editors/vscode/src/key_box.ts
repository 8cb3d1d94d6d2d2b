// The box for a key.
import * as vscode from "vscode";
import { KEYS_PAGE, SERVICE_HOST } from "./messages";

/** The key that somebody gives, told whose it is, where one gets it, what it costs and what is sent. */
export function askForKey(host: string): Promise<string | undefined> {
  const t = vscode.l10n.t;
  const box = vscode.window.createInputBox();
  const get = { iconPath: new vscode.ThemeIcon("link-external"), tooltip: t("Get a key from DeepSeek") };
  const service = host === SERVICE_HOST;
  box.title = service ? t("API key of your DeepSeek account") : t("API key for {0}", host);
  box.prompt = service
    ? t("From platform.deepseek.com. Requests are billed to that account; text around the cursor is sent. The key is kept in the editor's secret store.")
    : t("Text around the cursor is sent to {0}. The key is kept in the editor's secret store.", host);
  box.placeholder = "sk-…";
  box.password = true;
  box.ignoreFocusOut = true;
  box.buttons = service ? [get] : [];
  return new Promise((resolve) => {
    box.onDidTriggerButton(() => vscode.env.openExternal(vscode.Uri.parse(KEYS_PAGE)));
    box.onDidChangeValue((text) => {
      box.validationMessage = /^[!-~]*$/.test(text.trim()) ? undefined : t("Letters, digits and signs, without spaces.");
    });
    box.onDidAccept(() => {
      if (box.validationMessage) return;
      resolve(box.value.trim());
      box.hide();
    });
    box.onDidHide(() => {
      resolve(undefined);
      box.dispose();
    });
    box.show();
  });
}
