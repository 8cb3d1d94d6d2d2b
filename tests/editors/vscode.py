"""A real VS Code: code-server with the packaged extension in a clean profile, and a browser that types into it."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from urllib.parse import quote

import pytest
from real import ROOT, program, wait

EXTENSION = ROOT / "editors" / "vscode"
GHOST = ".ghost-text, .ghost-text-decoration, .ghost-text-decoration-preview, .suggest-preview-text"
ITEM = '[id*="fimLsp.status"]'
ICONS = re.compile("[\ue000-\uf8ff]")  # of the editor's own font
QUICK = ".quick-input-widget input"
SETTINGS = {
    "security.workspace.trust.enabled": False,
    "telemetry.telemetryLevel": "off",
    "chat.disableAIFeatures": True,
    "editor.autoClosingBrackets": "never",
    "editor.autoClosingQuotes": "never",
    "editor.minimap.enabled": False,
    "editor.cursorBlinking": "solid",
    "workbench.reduceMotion": "on",
    "editor.accessibilitySupport": "off",
    "editor.wordBasedSuggestions": "off",
    "files.autoSave": "off",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "update.mode": "none",
    "extensions.ignoreRecommendations": True,
    "window.restoreWindows": "none",
    "security.workspace.trust.startupPrompt": "never",
    "security.workspace.trust.banner": "never",
    "security.workspace.trust.untrustedFiles": "open",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "[plaintext]": {
        "editor.wordBasedSuggestions": "currentDocument",
        "editor.quickSuggestions": {"other": "on"},
    },
    "workbench.editor.restoreEditors": False,
}
KEYS = [{"key": "ctrl+alt+l", "command": "editor.action.inlineSuggest.acceptNextLine"}]
# An extension of this name answers as Python's own does: with the interpreter that a file beside it names, if any.
PYTHON = """
const fs = require("fs"), path = require("path"), vscode = require("vscode");
exports.activate = () => ({ environments: {
  getActiveEnvironmentPath: () => ({ id: "chosen", path: path.join(__dirname, "..", "interpreter") }),
  onDidChangeActiveEnvironmentPath: (listener) => {
    const file = path.join(__dirname, "..", "interpreter");
    fs.watchFile(file, { interval: 100 }, listener);
    return { dispose: () => fs.unwatchFile(file, listener) };
  },
  resolveEnvironment: async (chosen) => fs.existsSync(chosen.path)
    ? { executable: { uri: vscode.Uri.file(fs.readFileSync(chosen.path, "utf8")) } } : undefined,
} });
"""
# An extension as those that show a folder which is on no disk of this machine: here, one that lies elsewhere on it.
VIRTUAL = """
const fs = require("fs"), vscode = require("vscode");
const none = new vscode.EventEmitter();
const type = (found) => found.isDirectory() ? vscode.FileType.Directory : vscode.FileType.File;
const lost = (uri) => { throw vscode.FileSystemError.FileNotFound(uri); };
const at = (uri) => fs.existsSync(uri.path) ? uri.path : lost(uri);
exports.activate = () => vscode.workspace.registerFileSystemProvider("vscode-vfs", {
  onDidChangeFile: none.event,
  watch: () => ({ dispose() {} }),
  stat: (uri) => { const found = fs.statSync(at(uri)); return { type: type(found), ctime: 0, mtime: found.mtimeMs, size: found.size }; },
  readDirectory: (uri) => fs.readdirSync(at(uri), { withFileTypes: true }).map((one) => [one.name, type(one)]),
  readFile: (uri) => fs.readFileSync(at(uri)),
  writeFile: (uri, content) => fs.writeFileSync(uri.path, content),
  createDirectory() {}, delete() {}, rename() {},
});
"""
# Writes the files of output channels where the editor's own module for that, which has to be compiled, is not there.
LOGGER = """
const { registerHooks } = require("node:module");
const source = `
  import { appendFileSync, mkdirSync } from "node:fs";
  import { dirname } from "node:path";
  export const setFlushOn = () => {};
  export const createAsyncRotatingLogger = async (name, path) => {
    mkdirSync(dirname(path), { recursive: true });
    const write = (text) => appendFileSync(path, text + String.fromCharCode(10));
    const levels = ["trace", "debug", "info", "warn", "error", "critical"];
    return new Proxy({}, { get: (_, name) => name === "then" ? undefined : levels.includes(name) ? write : () => {} });
  };
`;
registerHooks({ resolve: (name, context, next) => name === "@vscode/spdlog"
  ? { url: "data:text/javascript," + encodeURIComponent(source), shortCircuit: true } : next(name, context) });
"""


def packaged():
    """The packaged extension, made anew where the sources are newer."""
    made = EXTENSION / "fim-lsp.vsix"
    sources = [
        *EXTENSION.glob("src/*"),
        *EXTENSION.glob("media/*"),
        *EXTENSION.glob("l10n/*"),
        *EXTENSION.glob("bundled/*.py"),
        EXTENSION / "build.mjs",
        EXTENSION / ".vscodeignore",
        EXTENSION / "README.md",
        *EXTENSION.glob("package*.json"),
        *ROOT.glob("fim_lsp/**/*.py"),
        *ROOT.glob("fim_lsp/**/*.toml"),
    ]
    if made.exists() and made.stat().st_mtime >= max(path.stat().st_mtime for path in sources):
        return made
    if shutil.which("npm") is None:
        reason = "npm is not on the path"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    path = f"{Path(program('NODE24')).parent}:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "PYTHON": sys.executable}
    for command in (["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], ["npm", "run", "package"]):
        run = subprocess.run(command, cwd=EXTENSION, env=env, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    return made


def extension(path, identifier, source, event=None):
    """An extension of one file that an event of the editor calls for, packed as a `.vsix`."""
    publisher, name = identifier.split(".")
    manifest = {
        "name": name,
        "publisher": publisher,
        "version": "1.0.0",
        "engines": {"vscode": "^1.91.0"},
        "main": "main.js",
        "activationEvents": [event] if event else [],
        "capabilities": {"virtualWorkspaces": True, "untrustedWorkspaces": {"supported": True}},
    }
    identity = f'<Identity Id="{name}" Version="1.0.0" Language="en-US" Publisher="{publisher}"/>'
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("extension/package.json", json.dumps(manifest))
        packed.writestr("extension/main.js", source)
        packed.writestr(
            "extension.vsixmanifest",
            '<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">'
            f"<Metadata>{identity}<DisplayName>{name}</DisplayName></Metadata>"
            '<Installation><InstallationTarget Id="Microsoft.VisualStudio.Code"/></Installation>'
            '<Assets><Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json"/></Assets>'
            "</PackageManifest>",
        )
        packed.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension=".json" ContentType="application/json"/></Types>',
        )
    return path


class Code:
    """One code-server and one page; a file at a time is open.

    `more` are extensions besides ours, `variables` parts of the environment that differ from the tests' own, `locale` is
    the language of the editor's own words, for which a pack without words stands there.
    """

    def __init__(self, home, url, screens, more=(), variables=None, locale=None):
        node, server = program("NODE24"), program("CODE_SERVER")
        program("PLAYWRIGHT")
        program("CHROMIUM")
        self.home, self.screens = home, screens
        self.folder = home / "project"
        self.folder.mkdir(parents=True)
        (self.folder / "fixed.txt").write_text("\n")
        data = home / "data"
        for name, settings in (
            ("User", SETTINGS),
            ("Machine", {"fimLsp.baseUrl": url, "fimLsp.debounceMs": 0, "fimLsp.engine": "deepseek"}),
        ):
            (data / name).mkdir(parents=True)
            (data / name / "settings.json").write_text(json.dumps(settings))
        (data / "User" / "keybindings.json").write_text(json.dumps(KEYS))
        self.machine = data / "Machine" / "settings.json"
        self.user = data / "User" / "settings.json"
        if variables and "PATH" in variables:
            # The editor asks the user's shell what the path is.
            (home / ".bash_profile").write_text(f"export PATH={variables['PATH']}\n")
        self.interpreter = home / "extensions" / "interpreter"
        env = {
            k: v
            for k, v in os.environ.items()
            if not k.startswith(("XDG_", "DEEPSEEK_", "FIM_LSP_", "VSCODE"))
        }
        gallery = json.dumps({"serviceUrl": "", "itemUrl": "", "resourceUrlTemplate": ""})
        self.env = {**env, "HOME": str(home), "EXTENSIONS_GALLERY": gallery}
        logger = home / "logger.cjs"
        logger.write_text(LOGGER)
        base = [
            node,
            f"--require={logger}",
            server,
            "--user-data-dir",
            str(data),
            "--extensions-dir",
            str(home / "extensions"),
        ]
        for one in (packaged(), *more):
            install = [*base, "--install-extension", str(one)]
            done = subprocess.run(install, env=self.env, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        where = ["--auth", "none", "--bind-addr", f"127.0.0.1:{self.port}"]
        if locale:
            where += ["--locale", locale]
            words = data / "words.json"
            words.write_text(json.dumps({"version": "1.0.0", "contents": {}}))
            of = [{"extensionIdentifier": {"id": "test.words", "uuid": "0"}, "version": "1.0.0"}]
            pack = {"hash": "0", "extensions": of, "translations": {"vscode": str(words)}, "label": locale}
            (data / "languagepacks.json").write_text(json.dumps({locale: pack}))
        self._log = home / "server.log"
        with self._log.open("wb") as log:
            self._server = subprocess.Popen(
                [*base, *where, "--disable-telemetry", "--disable-update-check"],
                env={**self.env, **(variables or {})}, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._page = subprocess.Popen(
            [node, str(Path(__file__).with_name("page.mjs"))],
            env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            wait(self._listens, 60)
        except AssertionError as error:
            self.close()
            raise AssertionError(self._log.read_text("utf-8", "replace")[-2000:]) from error

    def _listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def close(self):
        self._page.stdin.close()
        ended(self._page, self._page.kill)
        self._page.stdout.close()
        os.killpg(self._server.pid, signal.SIGTERM)
        ended(self._server, lambda: os.killpg(self._server.pid, signal.SIGKILL))

    def do(self, method, *arguments):
        """Call a method of the page."""
        self._page.stdin.write(json.dumps([method, *arguments]) + "\n")
        self._page.stdin.flush()
        answer = json.loads(self._page.stdout.readline())
        if answer[0] is not None:
            raise AssertionError(answer[0])
        return answer[1]

    def load(self, name, text, virtual=None, folder=None, workspace=None):
        """Load the window anew with one file, and wait for the server; `virtual` is a folder that is shown as if it were none.

        `workspace` is a file that names several folders, `folder` the one of them that the file is put into.
        """
        path = (virtual or folder or self.folder) / name
        path.write_text(text, newline="")
        opened = f"vscode-vfs://elsewhere{virtual}" if virtual else str(self.folder)
        where = f"workspace={quote(str(workspace))}" if workspace else f"folder={quote(opened)}"
        there = f"vscode-vfs://elsewhere{path}" if virtual else f"vscode-remote://127.0.0.1:{self.port}{path}"
        payload = json.dumps([["openFile", there]])
        self.do("goto", f"http://127.0.0.1:{self.port}/?{where}&payload={quote(payload)}")
        self.do("waitForSelector", f'.tab[data-resource-name="{name}"]', {"timeout": 60_000})
        wait(
            lambda: re.search("fim-lsp (?!starting|working)", " ".join(self.do("labels", f"{ITEM} a"))),
            60,
        )
        return path

    def open(self, name, text, virtual=None):
        """The same, with the cursor at the mark `|`."""
        head, _, tail = text.partition("|")
        path = self.load(name, head + tail, virtual)
        self.do("waitForSelector", f'.tab.active[data-resource-name="{name}"]', {"timeout": 60_000})
        self.focus("Control+Home")
        for _ in range(head.count("\n")):
            self.press("ArrowDown")
        self.press("Home")
        self.press("Home")
        column = len(head) - head.rfind("\n") - 1
        for _ in range(column):
            self.press("ArrowRight")
        return path

    def focus(self, key=None):
        """Click into the text, and press a key there."""
        self.do("click", ".monaco-editor .view-lines")
        if key:
            self.press(key)

    def press(self, key):
        self.do("press", key)

    def write(self, text, delay=40):
        """Type, key by key."""
        self.do("write", text, delay)

    def ghost(self):
        """The text shown behind the cursor, without what is not to be seen."""
        more = self.do(
            "contents",
            ".ghost-text-view-lines-container .view-line, .suggest-preview-additional-widget .view-line",
        )
        found = ["".join(self.do("contents", GHOST)), *more]
        return "\n".join(found).replace("\xa0", " ").replace("\u200c", "").rstrip("\n")

    def text(self):
        """The lines of the editor that are on screen, from the top."""
        script = """() => [...document.querySelectorAll('.monaco-editor .view-line')]
            .sort((a, b) => parseInt(a.style.top) - parseInt(b.style.top)).map((line) => line.textContent).join('\\n')"""
        return self.do("evaluate", f"({script})()").replace("\xa0", " ")

    def page(self, title):
        """The text of one of the extension's own pages that begins with this title; empty while there is none."""
        return next((text for text in self.do("pages") if text.startswith(title)), "").replace("\xa0", " ")

    def saved(self, path):
        """What the file holds once it is saved."""
        before = path.stat().st_mtime_ns
        self.press("Control+s")
        end = time.monotonic() + 5
        # The editor empties the file before it writes: what is read then is not what is saved.
        while (path.stat().st_mtime_ns == before or not path.stat().st_size) and time.monotonic() < end:
            time.sleep(0.05)
        return path.read_bytes().decode()

    def run(self, command):
        """Run a command by its name in the palette, which closes where something else takes the focus: then again."""
        for _ in range(6):
            self.press("Escape")
            self.press("F1")
            try:
                self.do("waitForSelector", QUICK, {"timeout": 5000})
                self.do("fill", QUICK, f">{command}", {"timeout": 5000})
                wait(lambda: any(command in text for text in self.rows()), 5)
            except AssertionError:
                continue
            self.press("Enter")
            return
        raise AssertionError(f"{command} is not in the palette")

    def answer(self, text):
        """Answer an input box."""
        self.do("fill", QUICK, text)
        self.press("Enter")

    def pick(self, word):
        """Take the entry of the status bar's menu that has this word."""
        self.do("click", f"{ITEM} a")
        row = wait(lambda: next((text for text in self.rows() if word in text), None))
        self.do("click", f'.quick-input-list .monaco-list-row:has-text("{word}")')
        return row

    def set(self, **settings):
        """Change settings of the machine, as a user does in the file; None takes one away."""
        change(self.machine, {f"fimLsp.{name}": value for name, value in settings.items()})

    def own(self, **settings):
        """The same in the user's own settings, where alone a budget counts."""
        change(self.user, {f"fimLsp.{name}": value for name, value in settings.items()})

    def trust(self, *, asked):
        """Whether a folder has to be trusted before its settings count, from the next load on."""
        change(self.user, {"security.workspace.trust.enabled": asked})

    def workspace(self, settings):
        """Write the folder's own settings, or with None take them away."""
        path = self.folder / ".vscode" / "settings.json"
        if settings is None:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({f"fimLsp.{name}": value for name, value in settings.items()}))

    def servers(self):
        """The command line of each language server that runs, by its process."""
        return self._processes("run.py")

    def surveyors(self):
        """The processes beside them, which read the workspace: the server of each."""
        beside = self._processes("libs", "fim_lsp.context.surveyor")
        parents = ((pid, Path(f"/proc/{pid}/stat")) for pid in beside)
        return {
            pid: int(stat.read_text().rpartition(")")[2].split()[1]) for pid, stat in parents if stat.exists()
        }

    def _processes(self, end, part=""):
        """Those that are given a path of this editor's that ends so, and a word that has this part."""
        found = {}
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            ours = any(word.startswith(str(self.home)) and word.endswith(end) for word in words)
            if ours and any(part in word for word in words):
                found[int(path.parent.name)] = words
        return found

    def logs(self):
        """What the extension's output channel has written since the window was loaded."""
        written = sorted(self.home.glob("data/logs/**/fim-lsp.log"), key=lambda path: path.stat().st_mtime)
        return written[-1].read_text("utf-8") if written else ""

    def rows(self):
        """What the quick input lists."""
        rows = self.do("texts", ".quick-input-list .monaco-list-row")
        return [ICONS.sub("", text.replace("\n", " ")).strip() for text in rows]

    def buttons(self):
        """The buttons of the notifications on screen."""
        return self.do("texts", ".notification-list-item .monaco-button")

    def messages(self):
        """The notifications on screen."""
        return [text.replace("\n", " ") for text in self.do("texts", ".notification-list-item-message")]

    def status(self):
        """The status bar's item."""
        return "".join(self.do("texts", ITEM)).strip()

    def shot(self, name):
        self.do("screenshot", {"path": str(self.screens / f"{name}.png")})


def ended(process, kill):
    """Wait for the end of a process that was asked to end, and end it if it does not."""
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        kill()
        process.wait(20)


def written(path):
    """What a file of settings holds; None while the editor is about to write it."""
    try:
        return json.loads(path.read_text())
    except json.JSONDecodeError:
        return None


def change(path, settings):
    """Change a file of settings; None takes one away."""
    now = {**json.loads(path.read_text()), **settings}
    path.write_text(json.dumps({name: value for name, value in now.items() if value is not None}))
