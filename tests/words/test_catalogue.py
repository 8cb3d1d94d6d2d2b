"""The catalogue has every sentence that the code makes, in each language, and nothing is said beside it."""

import ast
import re
from pathlib import Path

import pytest

from fim_lsp.words.language import catalogue

PACKAGE = Path(__file__).parents[2] / "fim_lsp"
SAID = catalogue()
HAN = "[\u3400-\u9fff]"


def calls(path):
    """Every place of a module where a sentence is made."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Sentence":
            yield node


def made():
    """The templates in the code, with where each is."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        for call in calls(path):
            place = f"{path.relative_to(PACKAGE)}:{call.lineno}"
            assert isinstance(call.args[0], ast.Constant), f"{place}: a template is written out"
            found.setdefault(call.args[0].value, []).append((place, call))
    del found[""]  # nothing to say
    return found


MADE = made()


def names(template):
    return sorted(re.findall(r"\{(\w+)\}", template))


@pytest.mark.parametrize("language", SAID)
def test_no_sentence_is_missing_in_any_language(language):
    """Neither one that the code makes, nor one that it makes no longer, nor one without words."""
    assert set(SAID[language]) == set(MADE)
    assert all(said.strip() for said in SAID[language].values())


def test_english_is_as_the_code_has_it():
    assert all(template == said for template, said in SAID["en"].items())


@pytest.mark.parametrize("template", SAID["zh"])
def test_the_same_values_stand_in_a_sentence_in_each_language(template):
    assert names(SAID["zh"][template]) == names(template)


def test_every_value_has_its_place():
    """Where the values are written at the call, each is one of the template's."""
    for template, places in MADE.items():
        for place, call in places:
            given = {one.arg for one in call.keywords if one.arg is not None}
            assert given <= set(names(template)), place
            literal = {"prefix"} if "<SUF>" in template else set()
            if all(one.arg is not None for one in call.keywords):
                assert given == set(names(template)) - literal - {"suffix"}, place


@pytest.mark.parametrize("template", SAID["zh"])
def test_chinese_is_set_as_chinese_is(template):
    """In Chinese characters, with full-width signs, and a blank between these and what is Latin."""
    said = SAID["zh"][template]
    bare = re.sub(r"\{\w+\}", "", template)
    assert re.search(HAN, said) or not re.search(r"[A-Za-z]{2,}", bare) or template == "in {name}", said
    assert not re.search(f"{HAN}[,;:!?()]|[,;:!?()]{HAN}", said), said
    assert not re.search(f"{HAN}[A-Za-z0-9]|[A-Za-z0-9]{HAN}", said), said
    assert not re.search(f"{HAN} (?:{HAN}|[，。：；“”（）])|[，。：；“”（）] ", said), said
    assert said.endswith("。") == template.endswith("."), said
    # A value stands apart from the characters beside it, but for those that are words of this catalogue.
    for name in re.findall(rf"(?<={HAN})\{{(\w+)\}}|\{{(\w+)\}}(?={HAN})", said):
        assert (name[0] or name[1]) in {"where", "why", "name", "counts", "budget"}, said


# Prose that is no sentence for the user of an editor: what it is.
BESIDE = {
    "lsp/framing.py": "errors of the protocol, for who writes a client",
    "lsp/jsonrpc.py": "errors of the protocol, for who writes a client",
    "completion/beside.py": "of a prompt",
    "completion/explain.py": "names of parts, which clients know by them",
    "context/survey.py": "code",
    "endpoint/body.py": "asked of a model that chats",
    "endpoint/connection.py": "errors of a layer below, told by their kind",
    "endpoint/connection_pool.py": "errors of a layer below, told by their kind",
    "endpoint/proxied.py": "of httpx's errors",
    "endpoint/reply.py": "an error of a layer below, told by its kind",
    "endpoint/trust.py": "for the terminal",
    "endpoint/channel.py": "a header; a host that no address lacks",
    "privacy/key_blocks.py": "a mark of keys",
    "text/fillings.py": "code",
    "settings/settings.py": "descriptions, which READMEs and schemas have",
    "settings/provenance.py": "the table of who may set what",
    "usage/database.py": "SQL",
    "usage/page.py": "the page of `fim-lsp usage`",
    "usage/permits.py": "SQL",
    "usage/prices.py": "of a user's table of prices, for the terminal",
    "usage/recorder.py": "the name of a thread",
    "usage/report.py": "SQL, and what is logged",
    "usage/store.py": "SQL",
    "usage/wording.py": "for the terminal",
}
ROOMS = ("completion", "context", "endpoint", "lsp", "privacy", "settings", "text", "usage")


def prose(path):
    """The texts of two words or more that a module holds beside sentences, documentation, logs and expressions."""
    tree, beside = ast.parse(path.read_text("utf-8")), set()
    for node in ast.walk(tree):
        aside = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.Call):
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            on = getattr(getattr(node.func, "value", None), "id", "")
            aside = called == "Sentence" or on in {"log", "re"} or called == "execute"
        if aside:
            beside |= {id(inner) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in beside else None
        if isinstance(text, str) and re.search(r"[A-Za-z]{2,},? [a-z]{2,}", text):
            yield f"{path.name}:{node.lineno}: {text}"


def test_nothing_is_said_beside_the_catalogue():
    """What looks like words is a sentence's, or in a module that says nothing to the user of an editor with it."""
    found = {
        path.relative_to(PACKAGE).as_posix(): said
        for room in ROOMS
        for path in (PACKAGE / room).rglob("*.py")
        if (said := list(prose(path)))
    }
    assert {path: said for path, said in found.items() if path not in BESIDE} == {}
    assert set(BESIDE) <= set(found), "no prose stands there any longer"


@pytest.mark.parametrize(
    ("module", "signature"),
    [
        ("lsp/session.py", r"def say\(self, message: Sentence,"),
        ("lsp/session.py", r"def warn\(self, message: Sentence,"),
        ("lsp/status.py", r"-> tuple\[str, Sentence\]:"),
        ("completion/problems.py", r"message: Sentence\n"),
        ("endpoint/request.py", r"def __init__\(self, message: Sentence\)"),
        ("endpoint/trust.py", r"def __init__\(self, why: Sentence\)"),
        ("settings/kinds.py", r"def __init__\(self, why: Sentence\)"),
        ("usage/database.py", r"def __init__\(self, sentence: Sentence\)"),
        ("usage/ledger.py", r"tell: Callable\[\[Sentence\], None\]"),
    ],
)
def test_the_types_ask_for_sentences_where_something_is_said(module, signature):
    """A text that is none does not pass the check of types, which `test_tidy` runs."""
    assert re.search(signature, (PACKAGE / module).read_text("utf-8"))


def test_a_text_is_made_a_sentence_of_only_where_it_may_be():
    """`Sentence.of` says a text alike in every language: it is for names, and for what only terminals show."""
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if "Sentence.of(" in path.read_text("utf-8")
    }
    assert users == {"endpoint/request.py", "replay/answers.py", "replay/laid.py", "settings/keys.py"}
