// Bundles the extension; `test` bundles its tests, `package` puts the server beside it.
import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const what = process.argv[2] ?? "extension";
const common = { bundle: true, platform: "node", target: "node18", format: "cjs", logLevel: "warning" };

if (what === "test") {
  await build({ ...common, entryPoints: readdirSync("test").map((name) => join("test", name)), outdir: "out/test" });
} else {
  await build({
    ...common,
    entryPoints: ["src/extension.ts"],
    outfile: "out/extension.js",
    external: ["vscode"],
    minify: what === "package",
  });
}

if (what === "package") {
  const root = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "..", "..");
  const libs = "bundled/libs";
  rmSync(libs, { recursive: true, force: true });
  mkdirSync(libs, { recursive: true });
  const python = process.env.PYTHON ?? "python3";
  execFileSync(python, ["-m", "pip", "install", "-qq", "--root-user-action=ignore", "--disable-pip-version-check", "--no-compile", "--target", libs, root], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  for (const name of readdirSync(libs, { recursive: true })) {
    if (/\.(so|pyd|dylib)$/.test(name)) throw new Error(`${name} runs on one platform only`);
  }
  rmSync(join(libs, "bin"), { recursive: true, force: true });
  copyFileSync(join(root, "LICENSE"), "LICENSE");
}
