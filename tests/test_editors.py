"""What the editors' folders say agrees with the code."""

import json
import re
import textwrap
from pathlib import Path

from fim_lsp.settings import settings
from fim_lsp.settings.kinds import snake
from fim_lsp.settings.provenance import FREELY, NOTHING, RULES

EDITORS = Path(__file__).parents[1] / "editors"


def listed():
    """Every setting as Neovim's help lists it."""
    for name, spec in settings.schema().items():
        yield f"{name} (default {json.dumps(spec['default'])})"
        # What stands between backquotes is code, and stays on one line.
        whole = re.sub("`[^`]+`", lambda code: code[0].replace(" ", "\0"), spec["description"])
        indent = " " * 8
        for line in textwrap.wrap(
            whole, 70, initial_indent=indent, subsequent_indent=indent, break_long_words=False
        ):
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


def extension():
    """The manifest of VS Code's extension with its texts in their places."""
    folder = EDITORS / "vscode"
    texts = json.loads((folder / "package.nls.json").read_text("utf-8"))
    used = set()

    def told(value):
        if isinstance(value, dict):
            return {name: told(one) for name, one in value.items()}
        if isinstance(value, list):
            return [told(one) for one in value]
        if isinstance(value, str) and re.fullmatch(r"%[\w.]+%", value):
            used.add(value.strip("%"))
            return texts[value.strip("%")]
        return value

    manifest = told(json.loads((folder / "package.json").read_text("utf-8")))
    assert used == set(texts)
    return manifest


def test_the_extensions_settings_are_those_of_the_code():
    """Types, ranges, defaults and help; the key is not among them, and what must be the machine's is."""
    manifest = extension()
    groups = manifest["contributes"]["configuration"]
    listed = {name: row for group in groups for name, row in group["properties"].items()}
    expected = {f"fimLsp.{name}": spec for name, spec in settings.schema().items() if name != "apiKey"}
    own = {f"fimLsp.{name}" for name in ("pythonPath", "serverCommand", "demo", "trace.server")}
    assert set(listed) == set(expected) | own
    for name, spec in expected.items():
        row = dict(listed[name])
        scope = row.pop("scope")
        for more in ("order", "enumDescriptions", "patternErrorMessage"):
            row.pop(more, None)
        if name == "fimLsp.context":
            # A language's own has a block of its own there, so that the rest is a list to choose from.
            spec = {"default": spec["default"], "description": spec["description"], **spec["anyOf"][0]}  # noqa: PLW2901
        assert {"description": row.pop("markdownDescription"), **row} == spec, name
        where_to = {f"fimLsp.{name}" for name in ("baseUrl", "headers", "affinityHeader", "fallback")}
        assert scope == ("machine" if name in where_to else scope)
    assert all(listed[name]["scope"] == "machine" for name in own - {"fimLsp.trace.server"})
    budgets = ("dailyBudget", "monthlyBudget", "requestsPerMinute")
    assert all(listed[f"fimLsp.{name}"]["scope"] == "application" for name in budgets)


def test_no_editor_sends_to_an_index_that_does_not_have_it():
    """Each README installs the program from a clone or by an address: by its name alone nothing would be found."""
    for file in [*EDITORS.rglob("*.md"), *EDITORS.rglob("*.lua"), EDITORS.parent / "README.md"]:
        if "node_modules" not in file.parts:
            said = file.read_text("utf-8")
            assert not re.search(r"(pipx|uv tool|pip) install (-\w+ )?'?fim-lsp\b(?!\[)", said), file


def test_the_extensions_settings_stand_in_groups_with_an_order():
    """Each group has a title and a place, each setting a place in it; every word that can be chosen is explained, but the engines' names."""
    groups = extension()["contributes"]["configuration"]
    assert [group["order"] for group in groups] == list(range(1, len(groups) + 1))
    for group in groups:
        rows = group["properties"].values()
        assert group["title"]
        assert [row["order"] for row in rows] == list(range(1, len(rows) + 1))
        words = [
            row for name, row in group["properties"].items() if "enum" in row and name != "fimLsp.engine"
        ]
        assert all(len(row["enum"]) == len(row["enumDescriptions"]) for row in words)


def test_an_untrusted_folders_settings_count_where_they_only_make_things_stricter():
    """What sets where to, what runs or what it costs waits for trust; what sends less does not."""
    manifest = extension()
    listed = {n for group in manifest["contributes"]["configuration"] for n in group["properties"]}
    restricted = set(manifest["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"])
    stricter = {"enabled", "exclude", "context", "languages", "maxTokens", "prefixChars", "suffixChars"}
    assert restricted == listed - {f"fimLsp.{name}" for name in stricter}
    assert not {RULES[snake(name)].may for name in stricter} & {FREELY.may, NOTHING.may}


def test_the_walkthroughs_steps_wait_for_what_they_teach():
    """A step is done when something has come of it: a key, an endpoint, a suggestion that was taken, the page of costs."""
    (walkthrough,) = extension()["contributes"]["walkthroughs"]
    done = {step["id"]: step["completionEvents"] for step in walkthrough["steps"]}
    assert done["cost"] == ["onCommand:fim.usage"]
    assert all(event.startswith("onContext:") for name in set(done) - {"cost"} for event in done[name])


def test_where_a_key_is_given_it_is_said_whose_and_what_it_costs():
    """The walkthrough and README name the page of keys, a price, and what is sent."""
    for file in ("media/key.md", "README.md"):
        said = " ".join((EDITORS / "vscode" / file).read_text("utf-8").split())
        assert "https://platform.deepseek.com/api_keys" in said
        assert "half a cent" in said
        assert "text around the cursor" in said


def test_what_vim_shows_by_coc_is_there_once():
    """README's settings leave ghost text alone: no entry of the same text, and no menu at each letter that would hide it."""
    readme = (EDITORS / "vim" / "README.md").read_text("utf-8")
    (block,) = re.findall(r"^```json\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    chosen = json.loads(block)
    assert chosen["languageserver"]["fim-lsp"]["disabledFeatures"] == ["completion"]
    assert chosen["inlineSuggest.autoTrigger"] is True
    assert chosen["suggest.autoTrigger"] == "trigger"
