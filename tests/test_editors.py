"""What the editors' folders say agrees with the code."""

import json
import re
import textwrap
from pathlib import Path

from fim_lsp.settings import settings

EDITORS = Path(__file__).parents[1] / "editors"


def listed():
    """Every setting as Neovim's help lists it."""
    for name, spec in settings.schema().items():
        yield f"{name} (default {json.dumps(spec['default'])})"
        # What stands between backquotes is code, and stays on one line.
        whole = re.sub("`[^`]+`", lambda code: code[0].replace(" ", "\0"), spec["description"])
        for line in textwrap.wrap(whole, 70, initial_indent="        ", subsequent_indent="        "):
            yield line.replace("\0", " ")


def test_neovims_help_has_every_setting():
    """Names, defaults and descriptions are those of the code, in its order."""
    help_text = (EDITORS / "nvim" / "doc" / "fim_lsp.txt").read_text("utf-8")
    part = help_text.partition("FIM_LSP_MODEL.\n\n")[2].partition("\n\n vim:")[0]
    assert part == "\n".join(listed())


def test_every_editor_says_whether_it_was_tried():
    """Each folder has a README that says so in its first lines, and names the program."""
    for folder in EDITORS.iterdir():
        if not folder.is_dir():
            continue
        readme = (folder / "README.md").read_text("utf-8")
        head = " ".join(readme.split("\n## ")[0].split())
        assert re.search(r"Tried in .*\d|Not tried", head), folder.name
        assert "fim-lsp" in readme


def test_the_extensions_settings_are_those_of_the_code():
    """Types, ranges, defaults and help; the key is not among them, and what must be the machine's is."""
    manifest = json.loads((EDITORS / "vscode" / "package.json").read_text("utf-8"))
    listed = manifest["contributes"]["configuration"]["properties"]
    expected = {f"fimLsp.{name}": spec for name, spec in settings.schema().items() if name != "apiKey"}
    own = {f"fimLsp.{name}" for name in ("pythonPath", "serverCommand", "demo", "trace.server")}
    assert set(listed) == set(expected) | own
    for name, spec in expected.items():
        row = dict(listed[name])
        scope = row.pop("scope")
        assert {"description": row.pop("markdownDescription"), **row} == spec, name
        where_to = {f"fimLsp.{name}" for name in ("baseUrl", "headers", "affinityHeader", "fallback")}
        assert scope == ("machine" if name in where_to else scope)
    assert all(listed[name]["scope"] == "machine" for name in own - {"fimLsp.trace.server"})
    budgets = ("dailyBudget", "monthlyBudget", "requestsPerMinute")
    assert all(listed[f"fimLsp.{name}"]["scope"] == "application" for name in budgets)
    assert set(manifest["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"]) == set(listed)
