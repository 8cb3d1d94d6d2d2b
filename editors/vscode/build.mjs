// Bundles the extension; `test` bundles its tests, `package` puts the server beside it and the licences of all that is inside.
import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

// What the server needs on some system, with what these need in turn; their versions and hashes are those of CI's lock.
const SERVER = [
  "anyio", "attrs", "cachetools", "cattrs", "certifi", "h11", "httpcore", "httpx", "httpx-sse", "idna", "lsprotocol", "platformdirs", "pygls", "truststore",
  "typing-extensions",
];
// What no editor's server runs, and what only says what was installed and where.
const LEFT_OUT = [
  "anyio/pytest_plugin.py", "bin", "fim_lsp/commands/replay.py", "fim_lsp/commands/replay_spending.py", "fim_lsp/replay", "httpx/_main.py",
];
const OF_THE_INSTALLER = /^(INSTALLER|RECORD|REQUESTED|WHEEL|direct_url\.json|entry_points\.txt|top_level\.txt|sboms)$/;

const what = process.argv[2] ?? "extension";
const common = { bundle: true, platform: "node", target: "node18", format: "cjs", logLevel: "warning" };

if (what === "test") {
  const tests = readdirSync("test").filter((name) => name.endsWith(".ts"));
  await build({ ...common, alias: { vscode: "./test/stub/vscode.ts" }, entryPoints: tests.map((name) => join("test", name)), outdir: "out/test" });
} else {
  const { metafile } = await build({
    ...common,
    entryPoints: ["src/extension.ts"],
    outfile: "out/extension.js",
    external: ["vscode"],
    metafile: true,
    minify: what === "package",
  });
  if (what === "package") {
    const root = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "..", "..");
    bundleServer(root);
    writeFileSync("NOTICES.txt", notices(Object.keys(metafile.inputs)));
    copyFileSync(join(root, "LICENSE"), "LICENSE");
  }
}

/** The server and what it needs, as they run on every system. */
function bundleServer(root) {
  const libs = "bundled/libs";
  rmSync(libs, { recursive: true, force: true });
  mkdirSync(libs, { recursive: true });
  const locked = readFileSync(join(root, ".ci", "requirements.lock"), "utf8").split(/\n(?=\S)/);
  const rows = SERVER.map((name) => locked.find((row) => row.startsWith(`${name}==`)) ?? fail(`${name} is not in the lock`));
  writeFileSync("out/requirements.txt", rows.join("\n"));
  const pip = ["-m", "pip", "install", "-qq", "--root-user-action=ignore", "--disable-pip-version-check", "--no-compile"];
  execFileSync(process.env.PYTHON ?? "python3", [...pip, "--no-deps", "--require-hashes", "--target", libs, "-r", "out/requirements.txt"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  cpSync(join(root, "fim_lsp"), join(libs, "fim_lsp"), { recursive: true, filter: (path) => basename(path) !== "__pycache__" });
  for (const name of LEFT_OUT) rmSync(join(libs, name), { recursive: true, force: true });
  for (const name of readdirSync(libs, { recursive: true })) {
    if (/\.(so|pyd|dylib)$/.test(name)) fail(`${name} runs on one platform only`);
    if (OF_THE_INSTALLER.test(basename(name)) && name.includes(".dist-info")) rmSync(join(libs, name), { recursive: true, force: true });
  }
}

/** The names and licences of the JavaScript that was bundled; those of the Python stand beside it. */
function notices(inputs) {
  const folders = new Set(inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0] ?? []));
  const each = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one)) ?? fail(`${name} comes without the text of its licence`);
    return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
  });
  if (!each.length || !existsSync("bundled/libs")) fail("nothing was bundled");
  const head = "out/extension.js holds, besides fim-lsp's own code, these packages. Those in bundled/libs have their licences in *.dist-info.\n";
  return [head, ...each].join(`\n${"-".repeat(80)}\n\n`);
}

function fail(why) {
  throw new Error(why);
}
