"""What the editors' folders say agrees with the code."""

import json
import re
from pathlib import Path

from fim_lsp import settings

EDITORS = Path(__file__).parents[1] / "editors"


def test_neovims_help_has_every_setting():
    """Names, defaults and descriptions are those of the code, in its order."""
    help_text = (EDITORS / "nvim" / "doc" / "fim_lsp.txt").read_text("utf-8")
    part = help_text.partition("*fim_lsp-settings*")[2]
    found = re.findall(r"^(\w+) \(default (.*)\)\n((?: {8}.*\n)+)", part, re.MULTILINE)
    assert [(name, json.loads(default), " ".join(doc.split())) for name, default, doc in found] == [
        (name, spec["default"], spec["description"].replace("`", ""))
        for name, spec in settings.schema().items()
    ]


def test_every_editor_says_whether_it_was_tried():
    """Each folder has a README that says so in its first lines, and names the program."""
    for folder in EDITORS.iterdir():
        if not folder.is_dir() or folder.name == "vscode":
            continue
        readme = (folder / "README.md").read_text("utf-8")
        head = " ".join(readme.split("\n## ")[0].split())
        assert re.search(r"Tried in .*\d|Not tried", head), folder.name
        assert "fim-lsp" in readme
