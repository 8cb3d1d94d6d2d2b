import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { backOff } from "../src/crashes";
import { candidates, find, recent } from "../src/python";
import { check } from "../src/check";
import { engines, look as lookForEngines, unusable } from "../src/find";
import { Key } from "../src/key";
import { Pause } from "../src/pause";
import { explained } from "../src/explained";
import { offer, type Known } from "../src/messages";
import {
  byLanguage, chosen, endpoint, headerValues, inForce, meant, OF_THE_MACHINE, ofFolder, overridable, places, properties, root, serverNames, standing, switched, without, type Layers, type Place,
} from "../src/settings";
import { costs } from "../src/usage";
import { clock, dollars, hover, label, look, NOTHING, spoken } from "../src/wording";

void test("only what someone has set is sent, the innermost layer first", () => {
  const layers: Record<string, object> = {
    model: { globalValue: "a", workspaceValue: "b" },
    enabled: { globalValue: false },
    maxTokens: {},
  };
  assert.deepEqual(chosen(["model", "enabled", "maxTokens", "none"], (name) => layers[name], "k"), {
    model: "b",
    enabled: false,
    apiKey: "k",
  });
});

void test("the server does not hear of what is ours", () => {
  const names = serverNames({ "fimLsp.model": {}, "fimLsp.serverCommand": {}, "fimLsp.trace.server": {}, "fimLsp.demo": {} });
  assert.deepEqual(names, ["model"]);
});

void test("the settings that belong to the machine are those of which the manifest says so", () => {
  const manifest = JSON.parse(readFileSync("package.json", "utf8")) as { contributes: { configuration: { properties: Record<string, { scope?: string }> }[] } };
  const all = Object.entries(properties(manifest.contributes.configuration));
  assert.deepEqual(OF_THE_MACHINE, all.filter(([, { scope }]) => scope === "machine").map(([name]) => name.replace("fimLsp.", "")).sort());
});

void test("the user's layers are told apart from the folder's", () => {
  const layers: Layers = {
    globalValue: ["a"], workspaceValue: ["!.env"], workspaceFolderValue: ["!*.pem"],
    globalLanguageValue: 1, workspaceLanguageValue: 2, workspaceFolderLanguageValue: 3, languageIds: ["go"],
  };
  assert.deepEqual(standing(layers, "user"), { globalValue: ["a"], globalLanguageValue: 1, languageIds: ["go"] });
  assert.deepEqual(standing(layers, "workspace"), {
    workspaceValue: ["!.env"], workspaceFolderValue: ["!*.pem"], workspaceLanguageValue: 2, workspaceFolderLanguageValue: 3, languageIds: ["go"],
  });
  const told = (place: Place) => chosen(["exclude"], () => standing(layers, place));
  assert.deepEqual([told("user"), told("workspace")], [{ exclude: ["a"] }, { exclude: ["!.env", "!*.pem"] }]);
  assert.equal(inForce(standing(undefined, "user")), undefined);
});

void test("every form of the address means the same", () => {
  for (const tail of ["", "/", "/beta", "/beta/", "/v1", "/beta/completions"]) {
    assert.equal(root(`https://api.deepseek.com${tail}`), "https://api.deepseek.com");
  }
});

void test("the key is in no trace", () => {
  assert.equal(without('{"apiKey":"sk-1","x":"sk-1"}', "sk-1"), '{"apiKey":"***","x":"***"}');
  assert.equal(without("text", undefined), "text");
  const odd = 'k"\\1';
  assert.equal(without(JSON.stringify({ apiKey: odd }) + odd, odd), '{"apiKey":"***"}***');
});

void test("Python 3.11 is new enough, 3.10 and 2.7 are not", () => {
  assert.deepEqual(["3 11\n", "3 14", "4 0", "3 10", "2 7", ""].map(recent), [true, true, true, false, false, false]);
});

void test("the first Python that is new enough is taken, and old ones are named", async () => {
  const versions: Record<string, string> = { python3: "3 9", python: "3 12" };
  const found = await find([["none"], ["python3"], ["python"]], ([name = ""]) => Promise.resolve(versions[name]));
  assert.deepEqual(found, { command: ["python"], old: ["python3 is 3.9"] });
  const path = await find([["py", "-3"]], () => Promise.resolve("3 12\r\nC:\\Program Files\\python.exe\r\n"));
  assert.deepEqual(path, { command: ["C:\\Program Files\\python.exe"], old: [] });
  assert.deepEqual(candidates("/opt/python", "/env/python", false), [["/opt/python"]]);
  assert.deepEqual(candidates("~/bin/python3", undefined, false, "/home/me"), [["/home/me/bin/python3"]]);
  const minors = ["python3.14", "python3.13", "python3.12", "python3.11"].map((name) => [name]);
  assert.deepEqual(candidates("", "/env/python", false), [["/env/python"], ["python3"], ["python"], ...minors]);
  const old = await find(candidates("", undefined, false), ([name = ""]) => Promise.resolve({ python3: "3 9", "python3.12": "3 12" }[name]));
  assert.deepEqual(old.command, ["python3.12"]);
});

void test("a server that stops again and again is started ever later, and then not at all", () => {
  const stops: number[] = [];
  const waits: (number | undefined)[] = [];
  for (let n = 0; n < 10; n++) {
    stops.push(n);
    waits.push(backOff(stops, 10));
  }
  assert.deepEqual(waits, [0, 250, 500, 1000, 2000, 4000, 8000, 15000, undefined, undefined]);
  assert.equal(backOff([0, 1, 2], 1_000_000), 0);
});

void test("the status bar and its hover say what is, and what to do", () => {
  const status = {
    state: "error" as const, message: "The address is wrong.", cause: "address", model: "m", requests: 2, promptTokens: 2000,
    cacheHitTokens: 1500, completionTokens: 9, localHits: 1, usd: 0.0123,
  };
  assert.equal(label("error"), "$(warning) fim-lsp: problem");
  const text = hover(status, {}, { usd: 0.00012, savedUsd: 0.02 });
  assert.match(text, /The address is wrong\./);
  assert.match(text, /Session: 2 requests, 1 answer from memory/);
  assert.match(text, /2,000 tokens sent \(75 % at a fiftieth of the price\), 9 received: \$0\.012/);
  assert.match(text, /Today: \$0\.00012, and \$0\.020 saved/);
  assert.doesNotMatch(hover(NOTHING), /Session|tokens/);
  assert.match(hover({ ...NOTHING, requests: 1, promptTokens: 7 }), /1 request, 0 answers from memory\n\n7 tokens sent, 0 received$/);
});

void test("no key, a refused key, an excluded file and a language that is off are not called ready", () => {
  const wrong = { ...NOTHING, state: "error" as const, cause: "key" };
  const ready = { ...NOTHING, state: "ready" as const };
  assert.deepEqual([look({ ...wrong, apiKey: false }), look({ ...wrong, apiKey: true }), look({ ...wrong, cause: "model" })], ["keyless", "refused", "error"]);
  const looks = (["", "closed", "excluded", "language"] as const).map((withheld) => look(ready, { withheld }));
  assert.deepEqual(looks, ["ready", "ready", "excluded", "language"]);
  assert.equal(label("language", { language: "go" }), "$(circle-slash) fim-lsp: off in go");
  assert.equal(label("keyless"), "$(key) fim-lsp: no key");
  assert.match(hover({ ...wrong, apiKey: false }), /command:fim\.setApiKey.*command:fim\.demo/);
});

void test("the demo says everywhere that it is one, and how to leave it", () => {
  const demo = { ...NOTHING, state: "ready" as const, demo: true, model: "deepseek-flash" };
  assert.equal(label("ready", {}, true), "$(sparkle) fim-lsp: demo");
  assert.equal(spoken(demo), "fim-lsp ready demo");
  assert.match(hover(demo), /nothing leaves this machine.*command:fim\.leaveDemo/);
  assert.doesNotMatch(hover(demo), /deepseek/);
  const shown = explained({ prompt: "p", suffix: "", url: "", demo: true, model: "deepseek-flash", parts: [] }).html;
  assert.match(shown, /nothing leaves this machine/);
  assert.doesNotMatch(shown, /deepseek/);
});

void test("an explanation begins with one sentence, and holds the exact bytes", () => {
  const parts = [
    { what: "map", characters: 9, tokens: 300, files: Array.from({ length: 41 }, (_, n) => `f${n}.py`), usdKept: 2e-6, usdNew: 1e-4 },
    { what: "live", characters: 9, tokens: 3, files: ["a.py"], usdKept: 2e-8, usdNew: 9e-7 },
  ];
  const { html } = explained({ url: "https://api.deepseek.com/beta/completions", model: "m", prompt: "\na<b>&\n", suffix: "\tc", parts });
  assert.match(html, /<p class="lead">About 303 tokens from 42 files, and 2 characters after the cursor, to api\.deepseek\.com, for \$0\.0000020 to \$0\.00010/);
  assert.ok(html.includes('<pre data-name="prompt">\n\na&#60;b&#62;&#38;\n</pre>'));
  assert.ok(html.includes('<pre data-name="suffix">\n\tc</pre>'));
  assert.match(html, /f7\.py and 33 more/);
  assert.doesNotMatch(html, /NaN/);
  assert.match(explained({ problem: "This document is <never> sent." }).html, /<p>This document is &#60;never&#62; sent\.<\/p>/);
  assert.doesNotMatch(explained({ prompt: "", suffix: "", parts: [{ what: "live", characters: 9, tokens: 3 }] }).html, /NaN|, for /);
});

const KNOWN: Known = { host: "api.deepseek.com", model: "deepseek-flsh", apiKey: true, names: ["temperature", "baseUrl", "exclude", "model"] };

void test("messages begin with the remedy, name what this editor has, and have a button for it", () => {
  const said = (cause: string, message = "", known = KNOWN) => {
    const { text, buttons } = offer({ type: 1, cause, message }, known);
    return [text, ...buttons.map(({ title, command }) => `${title}: ${command}`)];
  };
  assert.deepEqual(said("key"), ["Set another API key: api.deepseek.com does not accept this one.", "Set API key: fim.setApiKey"]);
  assert.deepEqual(said("key", "", { ...KNOWN, apiKey: false }).slice(1), ["Set API key: fim.setApiKey", "Try without a key: fim.demo"]);
  assert.deepEqual(said("budget").slice(1, 3), ["Go on until tomorrow: fim.resume", "Change the budget: fim.openSettings"]);
  assert.deepEqual(said("model")[1], "Change model: fim.changeModel");
  assert.match(said("parameter")[0] ?? "", /^Check the model \(deepseek-flsh\)/);
  assert.deepEqual(said("network", "h cannot be reached: check the network and baseUrl."), [
    "h cannot be reached: check the network and fimLsp.baseUrl.", "Open settings: fim.openSettings",
  ]);
  const wrong = 'Setting "temperature" in initializationOptions must be a number from 0 to 2; 0 stays in force.';
  assert.deepEqual(said("settings", wrong), ["fimLsp.temperature must be a number from 0 to 2; 0 stays in force.", "Open settings: fim.openSettings"]);
  const laxer = '"exclude", "model" in the editor\'s settings: left out, as these may be a folder\'s, which only makes things stricter; to have it, write it into /c.toml or initializationOptions.';
  assert.equal(said("settings", laxer)[0], "fimLsp.exclude, fimLsp.model: left out of this workspace's settings, which only make things stricter. To have it, set it in your own settings.");
  for (const cause of ["key", "budget", "model", "parameter", "balance"]) {
    assert.doesNotMatch(said(cause, "DEEPSEEK_API_KEY apiKey fimLsp.resume").join(" "), /DEEPSEEK_API_KEY|apiKey|fimLsp\.resume/);
  }
});

void test("what the server says in Chinese is named and placed as this editor does, too", () => {
  const said = (message: string) => offer({ type: 2, cause: "settings", message }, KNOWN).text;
  assert.equal(
    said("initializationOptions：设置“temperature”必须是 0 到 2 之间的数；仍然使用：0。"),
    "fimLsp.temperature 必须是 0 到 2 之间的数；仍然使用：0。",
  );
  assert.equal(said("/c.toml：设置“temperature”必须是 0 到 2 之间的数；仍然使用：0。"), "/c.toml：设置 fimLsp.temperature 必须是 0 到 2 之间的数；仍然使用：0。");
  assert.equal(
    said('编辑器的设置：未采用 "exclude", "model"，因为这些设置可能来自文件夹，而文件夹的设置只能使限制更严；如需采用，请写入 /c.toml 或 initializationOptions。'),
    "fimLsp.exclude, fimLsp.model：未被采用，因为此工作区的设置只能使限制更严；如需采用，请写入您自己的设置。",
  );
  assert.equal(said('编辑器的设置：有未知的设置 "modle"，已忽略。'), '有未知的设置 "modle"，已忽略。');
  assert.equal(said("“exclude”中的第 1 个模式不会匹配任何文件。"), "fimLsp.exclude 中的第 1 个模式不会匹配任何文件。");
  assert.equal(said("无法连接 h：请检查网络和 baseUrl。"), "无法连接 h：请检查网络和 fimLsp.baseUrl。");
});

void test("what the settings switch off is not called a pause, and a pause says until when", () => {
  const paused = { ...NOTHING, state: "paused" as const };
  assert.deepEqual([look({ ...paused, enabled: false }), look({ ...paused, enabled: true }), look(paused)], ["off", "paused", "paused"]);
  assert.equal(label("off"), "$(circle-slash) fim-lsp: off");
  assert.match(hover({ ...paused, enabled: false }), /fimLsp\.enabled/);
  const until = Date.UTC(2026, 10, 26, 14, 5);
  assert.ok(hover(paused, { until }).includes(`Until ${clock(until)}`));
});

void test("a budget that is used up is no pause of the user's", () => {
  const spent = { ...NOTHING, state: "paused" as const, enabled: true, overBudget: true };
  assert.deepEqual([look(spent), look({ ...spent, enabled: false }), look({ ...spent, state: "busy" })], ["spent", "off", "busy"]);
  assert.match(hover(spent), /command:fim\.resume/);
});

void test("dollars have two digits that count", () => {
  assert.deepEqual([0, 0.0000271, 0.00857, 0.0414, 0.0999, 1.5, 12].map(dollars), ["$0.00", "$0.000027", "$0.0086", "$0.041", "$0.10", "$1.50", "$12.00"]);
});

void test("a folder of several that is off is excluded, and the others stay on", () => {
  const layers: Layers = { globalValue: 1, workspaceValue: 2, workspaceFolderValue: 3, workspaceFolderLanguageValue: 4 };
  assert.deepEqual(standing(layers, "folder"), { workspaceFolderValue: 3, workspaceFolderLanguageValue: 4 });
  const uri = "file:///w/lib%20b";
  assert.deepEqual(ofFolder({ enabled: false, exclude: ["*.x"], maxTokens: 9 }, uri), { exclude: ["*.x", uri], maxTokens: 9 });
  assert.deepEqual(ofFolder({ enabled: true, maxTokens: 9 }, uri), { enabled: true, maxTokens: 9 });
  assert.deepEqual(ofFolder({ enabled: false }, "vscode-vfs://github/a"), { enabled: false });
});

void test("a language that is misspelt by one letter is asked about, another one is not", () => {
  const known = ["python", "markdown", "go", "c"];
  const asked = ["pyton", "pytohn", "markdwon", "python", "gx", "d", "zig", "elixir"].map((name) => meant(name, known));
  assert.deepEqual(asked, ["python", "python", "markdown", undefined, undefined, undefined, undefined, undefined]);
});

void test("tables and lists of several layers are joined, other values are not", () => {
  assert.deepEqual(inForce({ globalValue: { a: true, b: true }, workspaceValue: { b: false } }), { a: true, b: false });
  assert.deepEqual(inForce({ workspaceValue: ["a"], workspaceFolderValue: ["b"] }), ["a", "b"]);
  assert.equal(inForce({ globalValue: true, workspaceValue: false }), false);
  assert.equal(inForce(undefined), undefined);
});

void test("a change is made where it counts: wherever the stricter value stands", () => {
  const off = (value: unknown) => value === false;
  assert.deepEqual(places({ globalValue: true, workspaceValue: false }, off), ["workspace"]);
  assert.deepEqual(places({ globalValue: false, workspaceValue: true }, off), ["user"]);
  assert.deepEqual(places({ globalValue: false, workspaceValue: false }, off), ["user", "workspace"]);
  const layers = { globalValue: { go: false, python: true, c: false }, workspaceValue: { python: false, c: false } };
  const name = "languages";
  const change = (language: string) => switched(layers, undefined, language);
  const workspace = (python: boolean, c: boolean) => ({ place: "workspace", value: { python, c } });
  const user = (value: object) => ({ place: "user", value: { go: false, python: true, c: false, ...value } });
  assert.deepEqual(change("python"), { name, on: true, changes: [workspace(true, false)] });
  assert.deepEqual(change("go"), { name, on: true, changes: [user({ go: true })] });
  assert.deepEqual(change("c"), { name, on: true, changes: [user({ c: true }), workspace(false, true)] });
  assert.deepEqual(change("rust"), { name, on: false, changes: [user({ rust: false })] });
  assert.deepEqual(switched(undefined, undefined, "c"), { name, on: false, changes: [{ place: "user", value: { c: false } }] });
  const row = switched({ globalValue: { go: { maxTokens: 9 } } }, { globalValue: true }, "go");
  assert.deepEqual(row, { name, on: false, changes: [{ place: "user", value: { go: { maxTokens: 9, enabled: false } } }] });
  const alone = switched(layers, { globalLanguageValue: true, workspaceLanguageValue: false }, "python");
  assert.deepEqual(alone, { name: "enabled", on: true, changes: [{ place: "workspace", value: true }] });
  const set = switched(undefined, { globalLanguageValue: true }, "python");
  assert.deepEqual(set, { name: "enabled", on: false, changes: [{ place: "user", value: false }] });
});

void test("what is set for one language alone is a row of that language", () => {
  const properties = {
    "fimLsp.enabled": { scope: "language-overridable" }, "fimLsp.multiline": { scope: "language-overridable" }, "fimLsp.model": { scope: "window" },
  };
  const names = overridable(properties);
  assert.deepEqual(names, ["enabled", "multiline"]);
  const held: Record<string, Layers> = {
    enabled: { languageIds: ["markdown"] },
    multiline: { languageIds: ["go", "c"], globalValue: "always" },
    "enabled markdown": { globalLanguageValue: false, workspaceLanguageValue: true },
    "multiline go": { globalLanguageValue: "never" },
    "multiline c": { globalValue: "always" },
  };
  const inspect = (name: string, language?: string) => held[language ? `${name} ${language}` : name];
  assert.deepEqual(byLanguage({ go: false, c: true, rust: { maxTokens: 1 } }, names, inspect), {
    go: { enabled: false, multiline: "never" }, c: true, rust: { maxTokens: 1 }, markdown: { enabled: true },
  });
  assert.equal(byLanguage(undefined, names, () => undefined), undefined);
});

void test("a key is checked at the endpoint in force, which is named where it is not the service's own", () => {
  assert.deepEqual(endpoint(undefined, undefined, undefined), { url: "https://api.deepseek.com", said: "" });
  assert.deepEqual(endpoint(undefined, "", "http://a/beta"), { url: "http://a", said: " Asked: http://a." });
  assert.equal(endpoint("http://file", undefined, undefined).url, "http://file");
  const both = endpoint("http://set", "http://set/v1", "http://user:secret@env");
  assert.equal(both.url, "http://set");
  assert.match(both.said, /FIM_LSP_BASE_URL names another/);
  assert.doesNotMatch(both.said, /secret/);
});

void test("what the service says to a key is told without the key and without the service's own words", async () => {
  const server = createServer((request, response) => {
    const right = request.headers.authorization === "Bearer right";
    response.writeHead(right ? 200 : 401, { "content-type": "application/json" });
    response.end(JSON.stringify({ balance_infos: [{ currency: "CNY", total_balance: "1.50" }], echo: request.headers.authorization }));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  assert.deepEqual(await check(url, "right"), { state: "good", text: "The key works; left on the account: 1.50 CNY." });
  assert.deepEqual(await check(url, "wrong"), { state: "refused", text: "Copy the key again from your account: the service refuses this one." });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  assert.match((await check(url, "right")).text, /cannot be reached/);
});

/** A secret store and its windows: each hears of every change. */
class Store {
  private readonly held = new Map<string, string>();
  private readonly ears: ((event: { key: string }) => unknown)[] = [];
  readonly onDidChange = (ear: (event: { key: string }) => unknown) => {
    this.ears.push(ear);
    return { dispose: () => undefined };
  };
  get = (name: string) => Promise.resolve(this.held.get(name));
  store = async (name: string, value: string) => {
    this.held.set(name, value);
    await this.told(name);
  };
  delete = async (name: string) => {
    this.held.delete(name);
    await this.told(name);
  };
  private async told(key: string): Promise<void> {
    for (const ear of this.ears) await ear({ key });
  }
}

void test("a key that is set or removed in one window is so in all, and each is told once", async () => {
  const store = new Store();
  const told: string[] = [];
  const [one, two] = ["one", "two"].map((name) => {
    const key: Key = new Key(store, () => {
      told.push(`${name}: ${key.current ?? "none"}`);
      return Promise.resolve();
    });
    key.watch();
    return key;
  });
  assert.ok(one && two);
  await one.keep("k");
  await store.store("another", "x");
  await two.drop();
  assert.deepEqual(told, ["one: k", "two: k", "one: none", "two: none"]);
});

void test("a pause outlives the window, and ends by itself after an hour", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000 });
  const kept = new Map<string, unknown>();
  const memory = {
    get: <T>(name: string, otherwise?: T) => (kept.get(name) ?? otherwise) as T,
    update: (name: string, value: unknown) => Promise.resolve(void kept.set(name, value)),
  };
  const changes: boolean[] = [];
  const pause: Pause = new Pause(memory, () => { changes.push(pause.on); });
  void pause.begin();
  assert.deepEqual([pause.on, changes], [true, [true]]);
  const again: Pause = new Pause(memory, () => { changes.push(again.on); });
  pause.dispose();
  t.mock.timers.tick(3_599_999);
  assert.deepEqual([again.on, changes], [true, [true]]);
  t.mock.timers.tick(1);
  assert.deepEqual([again.on, changes], [false, [true, false]]);
  assert.equal(new Pause(memory, () => undefined).on, false);
});

void test("the page of costs begins with what was paid, has figures alike, and says how far to trust them", () => {
  const figures = {
    requests: 1200, localHits: 3, promptTokens: 4000, cacheHitTokens: 3000, completionTokens: 50, usd: 0.00012, savedUsd: 0.02,
    shown: 4, accepted: 1, estimated: 2,
  };
  const balance = { read: "2026-11-21T22:19:54+00:00", amounts: [{ currency: "USD", amount: "9.87" }] };
  const today = { to: "2026-11-21", total: figures, groups: [{ name: "deepseek-<flash>", ...figures }], balance };
  const days = { from: "2026-11-15", to: "2026-11-21", total: figures, groups: [{ name: "2026-11-21", ...figures }], missing: 5 };
  const { html } = costs(today, days);
  assert.match(html, /<p class="lead">\$0\.00012 today, \$0\.00012 in the last seven days/);
  const cells = "<td>1,200</td><td>3</td><td>4,000</td><td>75 %</td><td>50</td><td>$0.0001</td><td>$0.0200</td><td>25 %</td>";
  assert.ok(html.includes(`<tr><td>deepseek-&#60;flash&#62;</td>${cells}</tr><tr><td>total</td>${cells}</tr>`));
  assert.ok(html.includes("<td>2026-11-21</td>"));
  assert.match(html, /2 requests stopped before.*\n.*5 requests are missing/);
  assert.ok(html.includes(`9.87 USD, as of ${new Date(balance.read).toLocaleString()}`));
  assert.match(costs(undefined, undefined).html, /not running/);
  assert.match(costs({}, {}).html, /Nothing is recorded/);
  assert.match(costs({}, {}, true).html, /demo costs nothing/);
});

void test("every sentence of the extension stands in the list that is translated, and nothing else does", () => {
  const sources = readdirSync("src").map((name) => readFileSync(`src/${name}`, "utf8")).join("\n");
  const said = [...sources.matchAll(/\bt\(\s*"((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) => JSON.parse(`"${text}"`) as string);
  const listed = JSON.parse(readFileSync("l10n/bundle.l10n.json", "utf8")) as Record<string, string>;
  assert.deepEqual(Object.keys(listed).sort(), [...new Set(said)].sort());
  assert.deepEqual(Object.keys(listed), Object.values(listed));
  assert.ok(said.length > 100);
});

void test("a hover shows what the server says as it is", () => {
  assert.match(hover({ ...NOTHING, state: "ready", message: "b answers in its place" }), /b answers in its place/);
  const status = { ...NOTHING, state: "error" as const, cause: "model", message: "no [x](command:fim.demo) *here*" };
  assert.ok(hover(status).includes("no \\[x\\](command:fim.demo) \\*here\\*"));
});

void test("what the command found is taken, and nothing else that it printed", () => {
  const one = { baseUrl: "http://127.0.0.1:8080", engine: "llama.cpp", model: "qwen" };
  assert.deepEqual(engines(JSON.stringify({ found: [one, { baseUrl: "file:///etc/passwd", engine: "", model: "" }, null, 5] })), [one]);
  for (const out of ["", "null", "[]", '{"found": 5}', "Traceback"]) assert.deepEqual(engines(out), []);
});

void test("without a program that looks for engines, none is found", async () => {
  assert.deepEqual(await lookForEngines([]), []);
  assert.deepEqual(await lookForEngines(["/no/such/program"]), []);
});

void test("an address is one, and holds no password", () => {
  for (const good of ["https://models.example/v1", " http://10.0.0.5:8000 "]) assert.equal(unusable(good), undefined);
  for (const bad of ["models.example", "ftp://a", "https://u:p@a", "https://a?key=1", "https://a#b"]) assert.ok(unusable(bad));
});

void test("neither a key nor a header's value is in what is logged", () => {
  const values = headerValues({ "X-Team": "blue-team", "X-N": "1" }, [{ headers: { "X-Lab": "quo\"te-lab" } }, {}, 5, null]);
  assert.deepEqual(values, ["blue-team", "1", 'quo"te-lab']);
  const said = without(JSON.stringify({ a: "blue-team", b: "1", c: 'quo"te-lab', d: "sk-right", e: 11 }), "sk-right", ...values);
  assert.equal(said, '{"a":"***","b":"***","c":"***","d":"***","e":11}');
  assert.deepEqual(headerValues(undefined, "x"), []);
});
