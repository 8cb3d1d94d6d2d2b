"""What is written in Chinese beside the code keeps up with the English: VS Code's texts, and the README."""

import calendar
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
VSCODE = ROOT / "editors" / "vscode"
HAN = "[\u3400-\u9fff]"
TEXTS = {"package.nls.json": "package.nls.zh-cn.json", "l10n/bundle.l10n.json": "l10n/bundle.l10n.zh-cn.json"}
PAIRS = [
    pytest.param(english[name], chinese.get(name, ""), id=name[:40])
    for english, chinese in (
        [json.loads((VSCODE / file).read_text("utf-8")) for file in pair] for pair in TEXTS.items()
    )
    for name in english
]


def kept(text):
    """What a text holds that is the same in every language: values' places, code, and where links lead."""
    return sorted([*re.findall(r"\{\d+\}|`[^`]+`", text), *re.findall(r"\]\(([^)]+)\)", text)])


@pytest.mark.parametrize(("english", "chinese"), TEXTS.items())
def test_no_text_of_the_extension_is_missing_in_chinese(english, chinese):
    """Nor is there one that English has no longer; in the same order."""
    texts = [json.loads((VSCODE / name).read_text("utf-8")) for name in (english, chinese)]
    assert list(texts[0]) == list(texts[1])


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_a_text_of_the_extension_says_the_same_in_chinese(english, chinese):
    """With the same values, code and links, in full-width signs, and a blank between Chinese and Latin."""
    assert kept(chinese) == kept(english)
    assert re.search(HAN, chinese) or chinese == "token"
    bare = re.sub(r"`[^`]+`|\]\([^)]+\)", "]", chinese)
    assert not re.search(f"{HAN}[,;:!?()]|[,;:!?()]{HAN}", bare), bare
    assert not re.search(f"{HAN}[A-Za-z0-9{{]|[A-Za-z0-9}}]{HAN}", re.sub(r"在\{0\}中", "", bare)), bare
    assert english.count("\n") == chinese.count("\n")


@pytest.mark.parametrize(
    "page", sorted(path.stem for path in VSCODE.glob("media/[a-z]*.md") if "." not in path.stem)
)
def test_a_page_of_the_walkthrough_says_the_same_in_chinese(page):
    """Beside it, under the name by which VS Code looks for it: the same code, links, figures, and rows."""
    english, chinese = [
        (VSCODE / "media" / name).read_text("utf-8") for name in (f"{page}.md", f"{page}.nls.zh-cn.md")
    ]
    assert kept(chinese) == kept(english)
    assert len(re.findall(r"^[|#]", chinese, re.MULTILINE)) == len(
        re.findall(r"^[|#]", english, re.MULTILINE)
    )
    assert re.search(HAN, chinese.splitlines()[0])


MONTHS = [*calendar.month_name][1:]


def readme(name):
    """What of a README is the same in every language, by its kind."""
    text = (ROOT / name).read_text("utf-8")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    parts = re.split(r"^#{1,3} .*$", prose, flags=re.MULTILINE)
    bare = [re.sub("`[^`]+`", "", part) for part in parts]
    numbered = [
        re.sub("|".join(MONTHS), lambda month: str(MONTHS.index(month[0]) + 1), part) for part in bare
    ]
    return {
        "commands": re.findall(r"^```.*?^```$", text, re.MULTILINE | re.DOTALL),
        "sections": re.findall(r"^#{1,3}(?= )", prose, re.MULTILINE),
        "settings": re.findall(r"^\| `(\w+)` \| (`.*?`) \|", text, re.MULTILINE),
        "rows": [len(re.findall(r"^\|", part, re.MULTILINE)) for part in parts],
        "paragraphs": [len(re.findall(r"\n\n+(?=[^\n|])", part)) for part in parts],
        "points": len(re.findall(r"^- \*\*", prose, re.MULTILINE)),
        # A sentence may put them in another order.
        "links": [sorted(set(re.findall(r"\]\(([^)]+)\)", part)) - set(READMES)) for part in parts],
        "code": [sorted(re.findall("`[^`]+`", part)) for part in parts if "| `apiKey` |" not in part],
        "figures": [sorted(re.findall(r"\d[\d.,]*\d|\d", part)) for part in numbered],
    }


READMES = ("README.md", "README.zh-CN.md")
KINDS = list(readme(READMES[0]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_chinese_readme_has_all_that_the_english_one_has(kind):
    """Section by section: commands, settings with their defaults, rows, paragraphs, code, links and figures."""
    english, chinese = (readme(name)[kind] for name in READMES)
    assert english
    assert chinese == english


def test_each_readme_leads_to_the_other():
    """At its top."""
    for name, other in (READMES, READMES[::-1]):
        assert f"]({other})" in (ROOT / name).read_text("utf-8").split("\n")[2]


def test_a_setting_is_explained_in_chinese_as_in_the_extension():
    """Once written, in both places."""
    texts = json.loads((VSCODE / "package.nls.zh-cn.json").read_text("utf-8"))
    rows = re.findall(
        r"^\| `(\w+)` \| `.*?` \| (.*) \|$", (ROOT / READMES[1]).read_text("utf-8"), re.MULTILINE
    )
    assert {name: said for name, said in rows if name != "apiKey"} == {
        name: texts[f"setting.{name}"] for name, _ in rows if name != "apiKey"
    }
    assert len(rows) > 20
