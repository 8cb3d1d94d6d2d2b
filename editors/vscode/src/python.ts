// Which Python runs the server.
import { execFile } from "node:child_process";
import { homedir } from "node:os";

export const OLDEST = [3, 11] as const;
// Where `python3` is the system's own and too old, a newer one stands beside it by its whole name.
const MINORS = [14, 13, 12, 11];

/** Whether what `sys.version_info` says, "3 12", is new enough. */
export function recent(version: string): boolean {
  const [major = 0, minor = 0] = version.trim().split(/\s+/).map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

/** The first of these commands that is a Python new enough, by its full path where it tells one, and the versions of those that are not. */
export async function find(commands: string[][], run = version): Promise<{ command?: string[]; old: string[] }> {
  const old: string[] = [];
  for (const command of commands) {
    const found = await run(command);
    if (found === undefined) continue;
    const [numbers = "", path] = found.trim().split(/\r?\n/);
    // By its name alone, Windows would look for it in the opened folder first, where the server runs.
    if (recent(numbers)) return { command: path ? [path] : command, old };
    old.push(`${command.join(" ")} is ${numbers.replace(/\s+/, ".")}`);
  }
  return { old };
}

function version(command: string[]): Promise<string | undefined> {
  const [program = "", ...rest] = command;
  const code = "import sys; print(*sys.version_info[:2]); print(sys.executable)";
  return new Promise((resolve) => {
    execFile(program, [...rest, "-I", "-X", "utf8", "-c", code], { cwd: __dirname, timeout: 10_000, windowsHide: true }, (error, out) => {
      resolve(error ? undefined : out);
    });
  });
}

/** Where users expect a Python to be found, in this order. */
export function candidates(setting: string, environment: string | undefined, windows: boolean, home = homedir()): string[][] {
  if (setting) return [[setting.replace(/^~(?=[/\\])/, home)]];
  const found = environment ? [[environment]] : [];
  return [...found, ...(windows ? [["py", "-3"], ["python"]] : [["python3"], ["python"], ...MINORS.map((minor) => [`python3.${minor}`])])];
}
