"""The packaged extension in a real VS Code whose language is Chinese: its texts, the server's, and the walkthrough's pages."""

import pytest
from real import wait
from vscode import ITEM, Code

SLOW = 60.0  # seconds


@pytest.fixture(scope="module")
def chinese(tmp_path_factory, bench):
    """A VS Code in Chinese, without a key."""
    bench.reset()
    bench.key = "sk-right"
    made = Code(
        tmp_path_factory.mktemp("code"), bench.url, tmp_path_factory.mktemp("screens"), locale="zh-cn"
    )
    try:
        made.load("first.py", "\n")
        yield made
    finally:
        made.close()


def test_the_extension_and_the_server_speak_chinese(chinese):
    """The status bar's word, the server's sentence beside it, a message and its buttons."""
    said = "fim-lsp 没有密钥 未设置 API 密钥：请把它写入 DEEPSEEK_API_KEY 或 apiKey。"
    wait(lambda: said in chinese.do("labels", f"{ITEM} a"), SLOW)
    chinese.focus("Control+Home")
    chinese.write("# what somebody types who has just installed it\n", delay=20)
    wait(lambda: any("请设置 API 密钥" in text for text in chinese.messages()), SLOW)
    assert chinese.buttons()[:2] == ["设置 API 密钥", "无需密钥试用"]


def test_a_wrong_setting_is_said_by_this_editors_name_for_it(chinese):
    """The server's sentence, with the setting named as VS Code does."""
    chinese.set(maxTokens=-5)
    said = "fimLsp.maxTokens 必须是 1 到 4096 之间的整数；仍然使用：256。"
    wait(lambda: any(said in text for text in chinese.messages()), SLOW)
    chinese.set(maxTokens=None)


def test_commands_and_the_walkthrough_are_in_chinese(chinese):
    """By its title in the palette; the page beside the step is the one in Chinese."""
    chinese.run("fim-lsp: 打开演练")
    steps = wait(lambda: "".join(chinese.do("texts", ".gettingStartedContainer")), SLOW)
    assert "设置密钥，或无需密钥试用" in steps
    chinese.press("Control+b")  # the page beside the step needs room
    wait(lambda: any("谁的密钥，发送什么" in text for text in chinese.do("pages")), SLOW)
