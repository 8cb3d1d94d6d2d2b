"""Templates: each family's order and marks, what is taken out of a user's text, where an answer ends."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fim_lsp.endpoint.filters import Until
from fim_lsp.endpoint.template import chosen, families, family_of, own
from fim_lsp.settings.kinds import FAMILIES

MODELS = {
    "qwen2.5-coder-1.5b-q8_0.gguf": "qwen",
    "Qwen/Qwen3-Coder-30B-A3B-Instruct": "qwen",
    "deepseek-ai/DeepSeek-Coder-V2-Lite-Base": "deepseek",
    "bigcode/starcoder2-3b": "starcoder",
    "codellama:7b-code": "codellama",
    "google/codegemma-2b": "codegemma",
    "mistralai/Codestral-22B-v0.1": "codestral",
    "granite-code:8b-base": "granite",
    "ibm-granite/granite-4.0-h-tiny": "granite-4",
    "ByteDance-Seed/Seed-Coder-8B-Base": "seed-coder",
    "JetBrains/Mellum-4b-base": "mellum",
    "stabilityai/stable-code-3b": "stable-code",
    "aiXcoder/aixcoder-7b-base": "aixcoder",
    "codegeex4-all-9b": "codegeex",
    "zai-org/GLM-4.5-Air": "glm",
    "meta-llama/Llama-3.3-70B": None,
    "mistralai/Mamba-Codestral-7B-v0.1": "codestral",
}


@pytest.mark.parametrize("model", MODELS)
def test_a_name_tells_the_family(model):
    found = family_of(model)
    assert (found.name if found else None) == MODELS[model]


def test_every_family_may_be_named_in_the_settings():
    assert set(FAMILIES) == {"auto", *families()}


SUFFIX_FIRST = {"codestral", "seed-coder", "mellum", "codellama", "aixcoder", "codegeex", "starcoder"}


@pytest.mark.parametrize("name", families())
def test_typing_adds_to_the_end(name):
    """Suffix first where a model was trained so: then all that was sent stays; else all but what follows the cursor."""
    one = families()[name]
    before, after = (
        one.render("CTX\n", "a = f", "\nSUF\n", "m.py"),
        one.render("CTX\n", "a = foo", "\nSUF\n", "m.py"),
    )
    same = next((i for i, (x, y) in enumerate(zip(before, after, strict=False)) if x != y), len(before))
    assert "CTX" in before[:same]
    assert ("SUF" in before[:same]) == (name in SUFFIX_FIRST)
    if name in SUFFIX_FIRST:
        assert before.index("CTX") < before.index("SUF") < before.index("a = f")


@pytest.mark.parametrize("name", families())
def test_a_users_text_holds_no_mark(name):
    """Each of the family's marks is there as often as in a prompt without any in the text, also where taking out makes one."""
    one = families()[name]
    nested = "".join(f"{token[:2]}{token}{token[2:]}" for token in one.tokens)
    plain, full = one.render("c", "p", "s", "x.py"), one.render(nested, f"{nested}p", nested, "x.py")
    bare = one.render("c", "p", "", "x.py")
    for token in one.tokens:
        assert full.count(token) in {plain.count(token), bare.count(token)}, token
    assert one.clean("if a < b: x[0]") == "if a < b: x[0]"


@given(st.lists(st.sampled_from(["<|fim_", "prefix", "|>", "<", "a", "[SUF", "FIX]", "\n"]), max_size=30))
def test_cleaning_leaves_no_mark(parts):
    for one in (families()["qwen"], families()["codestral"]):
        found = one.clean("".join(parts))
        assert not any(token in found for token in one.tokens)


@given(st.text("<|fim_suf>ab", max_size=60), st.lists(st.integers(1, 5), min_size=1, max_size=9))
def test_an_answer_ends_at_the_first_mark_however_it_is_cut(text, sizes):
    """What is given is the text before it, whatever the pieces."""
    ends = ("<|fim_suffix|>", "<|fim", "ff", "a<|")
    until, given_, at, turn = Until(ends), "", 0, 0
    while at < len(text) and not until.met:
        size = sizes[turn % len(sizes)]
        given_ += until.feed(text[at : at + size])
        at, turn = at + size, turn + 1
    given_ += "" if until.met else until.rest()
    assert given_ == re.split("|".join(map(re.escape, ends)), text, maxsplit=1)[0]


def test_a_template_of_ones_own_has_its_marks_from_its_text():
    """What stands between the places; a stop besides is one."""
    one = own("<PRE>{prefix}[SUF]{suffix}<MID>", ("<EOT>",))
    assert one.tokens == ("<PRE>", "[SUF]", "<MID>")
    assert one.stop == ("<EOT>", "<PRE>", "[SUF]", "<MID>")
    assert one.render("c\n", "{suffix}", "s") == "<PRE>c\n{suffix}[SUF]s<MID>"
    assert chosen({"prompt": "{prefix}", "stop": ()}, "qwen").name == "your own"
    assert chosen("starcoder", "qwen").name == "starcoder"
