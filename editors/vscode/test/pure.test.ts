import assert from "node:assert/strict";
import { test } from "node:test";
import { backOff } from "../src/crashes";
import { candidates, find, recent } from "../src/python";
import { chosen, gone, root, serverNames, without } from "../src/settings";
import { explained, hover, label } from "../src/wording";

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

void test("a key or a setting that is taken away is noticed, a changed one is simply told", () => {
  assert.equal(gone({ apiKey: "k", model: "m" }, { model: "m" }), true);
  assert.equal(gone({ dailyBudget: 1 }, { dailyBudget: null }), true);
  assert.equal(gone({ apiKey: "k" }, { apiKey: "l", model: "m" }), false);
  assert.equal(gone({}, {}), false);
});

void test("every form of the address means the same", () => {
  for (const tail of ["", "/", "/beta", "/beta/", "/v1", "/beta/completions"]) {
    assert.equal(root(`https://api.deepseek.com${tail}`), "https://api.deepseek.com");
  }
});

void test("the key is in no trace", () => {
  assert.equal(without('{"apiKey":"sk-1","x":"sk-1"}', "sk-1"), '{"apiKey":"***","x":"***"}');
  assert.equal(without("text", undefined), "text");
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
  const text = hover(status, { total: { usd: 0.00012, savedUsd: 0.02 } });
  assert.match(text, /The key is wrong: set another\./);
  assert.match(text, /75 %/);
  assert.match(text, /Today: \$0\.000120, and \$0\.0200 saved/);
});

void test("an explanation holds the exact bytes", () => {
  const text = explained({ model: "m", prompt: "a\nb", suffix: "\tc" });
  assert.ok(text.includes("--- prompt ---\na\nb\n--- suffix ---\n\tc\n--- end ---"));
});
