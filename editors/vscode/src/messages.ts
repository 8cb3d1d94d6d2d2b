// What the server has to say, in this editor's words: the remedy first, and a button for it.
import { l10n } from "vscode";

/** A message of the server's: `type` as the protocol counts (1 is an error), `cause` what it is about. */
export interface Message {
  type: number;
  cause: string;
  message: string;
}

/** What a button does: a command, and what it is given. */
export interface Button {
  title: string;
  command: string;
  arguments?: unknown[];
}

export interface Offer {
  text: string;
  buttons: Button[];
}

/** What is known beside the message. */
export interface Known {
  host: string;
  model: string;
  /** Whether a key is known at all. */
  apiKey: boolean;
  /** The names of the settings, without `fimLsp.`. */
  names: readonly string[];
}

export const SERVICE_HOST = "api.deepseek.com";
export const KEYS_PAGE = "https://platform.deepseek.com/api_keys";
export const ACCOUNT_PAGE = "https://platform.deepseek.com/top_up";

/** All our settings, as the settings editor looks for them. */
export const OURS = "@ext:fim-lsp.fim-lsp";

export const button = {
  setApiKey: (): Button => ({ title: l10n.t("Set API key"), command: "fim.setApiKey" }),
  demo: (): Button => ({ title: l10n.t("Try without a key"), command: "fim.demo" }),
  leaveDemo: (): Button => ({ title: l10n.t("Leave the demo"), command: "fim.leaveDemo" }),
  showHow: (): Button => ({ title: l10n.t("Show me how"), command: "fim.walkthrough" }),
  resume: (): Button => ({ title: l10n.t("Go on until tomorrow"), command: "fim.resume" }),
  changeModel: (): Button => ({ title: l10n.t("Change model"), command: "fim.changeModel" }),
  usage: (): Button => ({ title: l10n.t("Show costs"), command: "fim.usage" }),
  log: (): Button => ({ title: l10n.t("Open log"), command: "fim.openLog" }),
  restart: (): Button => ({ title: l10n.t("Start again"), command: "fim.restart" }),
  settings: (query: string, title = l10n.t("Open settings")): Button => ({ title, command: "fim.openSettings", arguments: [query] }),
  page: (title: string, address: string): Button => ({ title, command: "fim.openPage", arguments: [address] }),
};

/** A message as this editor says it. */
export function offer({ cause, message }: Message, { host, model, apiKey, names }: Known): Offer {
  const said = inOurWords(message, names);
  switch (cause) {
    case "key":
      return apiKey
        ? { text: l10n.t("Set another API key: {0} does not accept this one.", host), buttons: [button.setApiKey()] }
        : { text: l10n.t("Set an API key: without one, nothing is completed."), buttons: [button.setApiKey(), button.demo()] };
    case "balance":
      return {
        text: l10n.t("Top up the account at {0}: its balance is used up.", host),
        buttons: host === SERVICE_HOST ? [button.page(l10n.t("Open the account"), ACCOUNT_PAGE)] : [],
      };
    case "budget":
      return {
        text: l10n.t("The budget that you set is used: completions are paused."),
        buttons: [button.resume(), button.settings(`${OURS} budget`, l10n.t("Change the budget")), button.usage()],
      };
    case "model":
      return { text: l10n.t("Choose another model: {0} has none named {1}.", host, model), buttons: [button.changeModel()] };
    case "parameter":
      return {
        text: l10n.t("Check the model ({1}) and the settings: {0} does not accept the request.", host, model),
        buttons: [button.changeModel(), button.settings(OURS)],
      };
    case "address":
    case "network":
    case "garbage":
      return { text: said, buttons: [button.settings("fimLsp.baseUrl")] };
    case "settings":
      return { text: said, buttons: [button.settings(/fimLsp\.\w+/.exec(said)?.[0] ?? OURS)] };
    case "exclude":
      return { text: said, buttons: [] };
    case "usage":
      return { text: said, buttons: [button.usage()] };
    default:
      return { text: said, buttons: [button.log()] };
  }
}

/** The server's sentence, with the settings named and placed as this editor names and places them; it may be in Chinese. */
export function inOurWords(sentence: string, names: readonly string[]): string {
  return sentence
    .replace(/^fim-lsp: /, "")
    .replace(/"(\w+)"|“(\w+)”|\b(baseUrl|caFile)\b/g, (whole, quoted?: string, chinese?: string, bare?: string) => {
      const name = quoted ?? chinese ?? bare ?? "";
      if (!names.includes(name)) return whole;
      return chinese === undefined ? `fimLsp.${name}` : ` fimLsp.${name} `;
    })
    .replace(/^Setting (fimLsp\.\w+) in (initializationOptions|the editor's settings) /, "$1 ")
    .replace(/ in the editor's settings: left out, as these may be a folder's, which only makes things stricter; .*$/,
      ": left out of this workspace's settings, which only make things stricter. To have it, set it in your own settings.")
    .replace(/ in (initializationOptions|the editor's settings)\b/, "")
    .replace(/^编辑器的设置：未采用 (.*?)，因为.*$/, "$1：未被采用，因为此工作区的设置只能使限制更严；如需采用，请写入您自己的设置。")
    .replace(/^(?:initializationOptions|编辑器的设置)：(?:设置(?= fimLsp\.))?/, "")
    .replace(/^ | (?=[，。：；（）])|(?<=[，。：；（）]) /g, "");
}
