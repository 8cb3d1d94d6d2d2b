"""The language of a client by its locale, and sentences in it, whatever stands in them."""

import json

import pytest

from fim_lsp.settings import keys
from fim_lsp.words import language as module
from fim_lsp.words.language import Language
from fim_lsp.words.sentence import NOTHING, Sentence, filled, listed

LACKING = Sentence("{host} took too long: asking again later.", host="a.example")


CHINESE = """zh zh-cn zh-CN ZH-CN zh-Hans zh-Hans-CN zh_CN zh_CN.UTF-8 zh_CN.GBK zh_SG@pinyin zh-TW zh-hk zh-Hant zh_TW.Big5"""
OTHERS = """en en-US C C.UTF-8 POSIX de_DE.UTF-8 zha zhuang xzh-CN e-zh 中文 - ."""
GARBAGE = [None, "", "\0", 5, True, [], {}, ["zh"], b"zh", float("nan"), "z" * 10_000_000, "zh" * 5_000_000]


@pytest.mark.parametrize("locale", [*CHINESE.split(), " zh-cn\n"])
def test_chinese_of_any_kind(locale):
    """Also where traditional characters are usual: simplified ones are closer than English."""
    assert Language(locale).name == "zh"


@pytest.mark.parametrize("locale", [*OTHERS.split(), *GARBAGE], ids=lambda locale: repr(locale)[:20])
def test_anything_else_is_english(locale):
    assert Language(locale).name == "en"


def test_a_locale_without_end_is_looked_at_no_further():
    assert Language("zh-" + "x" * 10_000_000).name == "zh"


def test_english_reads_no_catalogue(monkeypatch):
    monkeypatch.setattr(module, "catalogue", lambda: pytest.fail("read"))
    assert Language("en").say(LACKING) == "a.example took too long: asking again later."
    Language("zh")  # nor Chinese before there is something to say


def test_a_sentence_is_its_english():
    """For logs, terminals and tests; its JSON is that of the text."""
    assert LACKING == "a.example took too long: asking again later."
    assert json.dumps([LACKING]) == '["a.example took too long: asking again later."]'
    assert not NOTHING
    assert Language("zh").say(NOTHING) == ""


def test_sentences_within_sentences_are_said_too():
    said = keys.lacking(keys.PLACES)
    assert said == "No API key is set: put it into DEEPSEEK_API_KEY or apiKey."
    assert Language("zh").say(said) == "未设置 API 密钥：请把它写入 DEEPSEEK_API_KEY 或 apiKey。"
    three = listed([Sentence("everywhere"), Sentence("in this file"), Sentence("in {name}", name="go")])
    assert three == "everywhere, in this file, in go"
    assert Language("zh").say(three) == "所有文件、此文件、go"


@pytest.mark.parametrize(
    "value",
    ["{host}", "{why}", "{0}", "{", "}", "{}", "{host!r:>9}", "{host.__class__}", "%s", "\\1", "\\g<0>"],
)
def test_braces_of_a_value_are_only_braces(value):
    """What a user has named is in no template's place."""
    said = Sentence("{host} is not asked: {why}.", host=value, why=Sentence("{text}", text=value))
    assert said == f"{value} is not asked: {value}."
    assert Language("zh").say(said) == f"未向 {value} 发送请求：{value}。"


def test_a_place_without_a_value_stays_as_it_stands():
    """A slip in a template costs words, and no message."""
    assert filled("{known} and {unknown}", {"known": 1}) == "1 and {unknown}"
    assert (
        Sentence("{host} took too long: asking again later.") == "{host} took too long: asking again later."
    )
    assert (
        Language("zh").say(Sentence("{host} took too long: asking again later."))
        == "{host} 响应超时：稍后会再试。"
    )


def test_what_the_catalogue_lacks_is_said_in_english():
    assert Language("zh").say(Sentence("Said by {name}.", name="nobody")) == "Said by nobody."
    assert Language("zh").say("no sentence") == "no sentence"
    assert Language("zh").say(Sentence.of("a text")) == "a text"
    assert Sentence.of(LACKING) is LACKING


def test_values_are_changed_within_their_sentence():
    """As without hidden characters: in either language."""
    said = Sentence(
        "{host} is not asked: {why}.", host="a\x1b", why=Sentence("{text}", text="b\x1b")
    ).through(lambda text: text.replace("\x1b", "?"))
    assert said == "a? is not asked: b?."
    assert Language("zh").say(said) == "未向 a? 发送请求：b?。"


def test_an_answer_is_said_and_else_left_as_it_is():
    answer = {"problem": LACKING, "prompt": "{host} took too long: asking again later.", "stop": [], "n": 1}
    assert Language("zh").say_in(answer) == {**answer, "problem": "a.example 响应超时：稍后会再试。"}
    assert Language().say_in(answer) == answer
