import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { backOff } from "../src/crashes";
import { candidates, find, recent } from "../src/python";
import { check } from "../src/check";
import { engines, unusable } from "../src/find";
import { Key } from "../src/key";
import { Pause } from "../src/pause";
import { byLanguage, chosen, endpoint, headerValues, inForce, overridable, places, root, serverNames, standing, switched, without, type Layers, type Place } from "../src/settings";
import { costs } from "../src/usage";
import { explained, hover, label, look, NOTHING } from "../src/wording";

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
  assert.deepEqual(candidates("", "/env/python", false), [["/env/python"], ["python3"], ["python"]]);
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
    state: "error" as const, message: "The key is wrong: set another.", model: "m", requests: 2, promptTokens: 200,
    cacheHitTokens: 150, completionTokens: 9, localHits: 3,
  };
  assert.equal(label("error"), "$(warning) FIM: problem");
  const text = hover(status, { usd: 0.00012, savedUsd: 0.02 });
  assert.match(text, /The key is wrong: set another\./);
  assert.match(text, /75 %/);
  assert.match(text, /Today: \$0\.000120, and \$0\.0200 saved/);
});

void test("an explanation holds the exact bytes", () => {
  const text = explained({ model: "m", prompt: "a\nb", suffix: "\tc" });
  assert.ok(text.includes("--- prompt ---\na\nb\n--- suffix ---\n\tc\n--- end ---"));
  const free = { what: "live", characters: 9, tokens: 3, files: ["a.py"] };
  assert.match(explained({ prompt: "", suffix: "", parts: [free] }), /^live: 9 characters, 3 tokens; of a\.py$/m);
  const live = { what: "live", characters: 9, tokens: 3, files: ["a.py"], usdKept: 2e-8, usdNew: 9e-7 };
  assert.match(explained({ prompt: "", suffix: "", parts: [live] }), /^live: 9 characters, 3 tokens, \$0\.00000002 .*; of a\.py$/m);
});

void test("what the settings switch off is not called a pause", () => {
  const paused = { ...NOTHING, state: "paused" as const };
  assert.deepEqual([look({ ...paused, enabled: false }), look({ ...paused, enabled: true }), look(paused)], ["off", "paused", "paused"]);
  assert.equal(label("off"), "$(circle-slash) FIM: off");
  assert.match(hover({ ...paused, enabled: false }), /fimLsp\.enabled/);
});

void test("a budget that is used up is no pause of the user's, and the session's price is said", () => {
  const spent = { ...NOTHING, state: "paused" as const, enabled: true, overBudget: true, usd: 0.0123 };
  assert.deepEqual([look(spent), look({ ...spent, enabled: false }), look({ ...spent, state: "busy" })], ["spent", "off", "busy"]);
  assert.match(hover(spent), /go on over the budget/);
  assert.match(hover(spent), /0 received: \$0\.0123$/m);
  assert.match(hover({ ...NOTHING, usd: null }), /0 received$/m);
  assert.match(hover(NOTHING), /0 received$/m);
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
  assert.deepEqual(await check(url, "right"), { good: true, text: "The key works; left on the account: 1.50 CNY." });
  assert.deepEqual(await check(url, "wrong"), { good: false, text: "The service refuses this key: copy it again from your account." });
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

void test("the page of costs is a table of figures, and says how far to trust them", () => {
  const figures = {
    requests: 1200, localHits: 3, promptTokens: 4000, cacheHitTokens: 3000, completionTokens: 50, usd: 0.00012, savedUsd: 0.02,
    shown: 4, accepted: 1, estimated: 2,
  };
  const today = { to: "2026-11-21", total: figures, groups: [{ name: "deepseek-flash", ...figures }] };
  const days = { from: "2026-11-15", to: "2026-11-21", total: figures, groups: [{ name: "2026-11-21", ...figures }], missing: 5 };
  const lines = costs(today, days).split("\n");
  assert.ok(lines.includes("model           requests  memory   sent  cached  received       cost    saved  taken"));
  assert.ok(lines.includes("deepseek-flash     1,200       3  4,000    75 %        50  $0.000120  $0.0200   25 %"));
  assert.ok(lines.some((line) => line.startsWith("2026-11-21  ")));
  assert.match(lines.join("\n"), /2 requests stopped before.*\n5 requests are missing/);
  assert.match(costs(undefined, undefined), /not running/);
  assert.match(costs({}, {}), /Nothing is recorded/);
});

void test("what the command found is taken, and nothing else that it printed", () => {
  const one = { baseUrl: "http://127.0.0.1:8080", engine: "llama.cpp", model: "qwen" };
  assert.deepEqual(engines(JSON.stringify({ found: [one, { baseUrl: "file:///etc/passwd", engine: "", model: "" }, null, 5] })), [one]);
  for (const out of ["", "null", "[]", '{"found": 5}', "Traceback"]) assert.deepEqual(engines(out), []);
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
