"""What the server says is said in the client's language: shown, told, in the status and in answers; the log is English."""

import pytest

FORMS = ["zh-cn", "zh-CN", "zh", "zh-Hans", "zh_CN.UTF-8", "zh-TW"]
ENGLISH = "No API key is set: put it into DEEPSEEK_API_KEY or apiKey."
CHINESE = "未设置 API 密钥：请把它写入 DEEPSEEK_API_KEY 或 apiKey。"
URI = "file:///a.py"


async def status(client):
    return await client.call("workspace/executeCommand", {"command": "fimLsp.status"})


async def without_a_key(start, **more):
    client = await start({"engine": "deepseek", "statusNotifications": True}, key=None, **more)
    client.open(URI, "x = ")
    client.type(URI, 0, 4, "1")
    assert await client.texts(URI, 0, 5) == []
    await client.until(client.messages)
    return client


@pytest.mark.parametrize("locale", FORMS)
async def test_chinese_to_who_reads_it(start, locale):
    """By the message, the status and the notification; in the log it is English."""
    client = await without_a_key(start, locale=locale)
    assert client.messages() == [f"fim-lsp: {CHINESE}"]
    assert (await status(client))["message"] == CHINESE
    told = [n["params"]["message"] for n in client.notes if n["method"] == "fimLsp/status"]
    assert told[-1] == CHINESE
    await client.until(lambda: ENGLISH.encode() in client.stderr)
    assert client.stderr.isascii()


@pytest.mark.parametrize("locale", [None, "", "en", "fr-FR", "C.UTF-8", "z" * 10_000_000])
async def test_english_to_all_others(start, locale):
    client = await without_a_key(start, locale=locale)
    assert client.messages() == [f"fim-lsp: {ENGLISH}"]
    assert (await status(client))["message"] == ENGLISH


async def test_english_to_who_says_nothing(start):
    assert (await without_a_key(start)).messages() == [f"fim-lsp: {ENGLISH}"]


async def test_a_client_that_shows_messages_itself_has_them_in_its_language(start):
    """With the cause as ever, which is no word for a person."""
    client = await start({"maxTokens": "many", "{x}": 1, "messageNotifications": True}, locale="zh-cn")
    heard = lambda: [n["params"] for n in client.notes if n["method"] == "fimLsp/message"]  # noqa: E731
    await client.until(lambda: len(heard()) == 2)
    assert [one["cause"] for one in heard()] == ["settings", "settings"]
    assert heard()[0]["message"] == (
        "initializationOptions：设置“maxTokens”必须是 1 到 4096 之间的整数；仍然使用：256。"
    )
    assert heard()[1]["message"] == "initializationOptions：有未知的设置，已忽略。"


async def test_what_halts_and_what_is_a_folders(start, tmp_path):
    """In the status as in the message."""
    client = await start({"exclude": "x"}, locale="zh-cn", settings={"baseUrl": "http://other.invalid"})
    await client.until(lambda: len(client.messages()) == 2)
    config = tmp_path / ".config" / "fim-lsp" / "config.toml"
    halted = 'initializationOptions：设置“exclude”必须是模式的列表，例如 ["secrets/**", "*.tfvars"]；改正之前不会发送任何内容。'
    left_out = (
        '编辑器的设置：未采用 "baseUrl"，因为这些设置可能来自文件夹，而文件夹的设置只能使限制更严；'
        f"如需采用，请写入 {config} 或 initializationOptions。"
    )
    assert client.messages() == [f"fim-lsp: {halted}", f"fim-lsp: {left_out}"]
    assert (await status(client))["message"] == halted


async def test_a_refusal(start, endpoint):
    """With the host, the status and the names in their places."""
    endpoint.key = "sk-other"
    client = await start(locale="zh-cn")
    client.open(URI, "x = ")
    assert await client.texts(URI, 0, 4) == []
    said = "127.0.0.1 不接受 API 密钥（401）：请检查 DEEPSEEK_API_KEY 或 apiKey。"
    assert client.messages() == [f"fim-lsp: {said}"]
    assert (await status(client))["message"] == said


async def test_silence(start):
    client = await start(locale="zh-cn")
    client.open(URI, "x = ")
    for asked in ({"minutes": 5, "uri": URI}, {"minutes": 4, "language": "go"}, {"minutes": 3}):
        snooze = {"command": "fimLsp.snooze", "arguments": [asked]}
        said = (await client.call("workspace/executeCommand", snooze))["message"]
    assert said == "已静默：a.py（还剩 5 分钟）、go（还剩 4 分钟）、所有文件（还剩 3 分钟）。"


async def test_a_budget_that_is_used_up(start):
    """Told once, as it stands in the status."""
    client = await start({"dailyBudget": 0}, locale="zh-cn")
    client.open(URI, "x = ")
    assert await client.texts(URI, 0, 4) == []
    said = (await status(client))["message"]
    assert client.messages() == [f"fim-lsp: {said}"]
    assert said.startswith("补全已暂停：今日预算（$0.00）已用完（已用 $0.00）。补全将于 20")
    assert said.endswith(" 恢复；如需立即恢复，请执行命令 fimLsp.resume 或提高预算。")


async def test_explain_says_why_nothing_is_sent(start):
    """The words for what excludes a file are said, too; a prompt is left as it is."""
    client = await start(locale="zh-cn")
    client.open("file:///p/.env", "x = ")
    place = {"uri": "file:///p/.env", "position": {"line": 0, "character": 4}}
    explain = {"command": "fimLsp.explain", "arguments": [place]}
    found = await client.call("workspace/executeCommand", explain)
    assert found == {
        "problem": "此文档的内容绝不会发送，排除它的是：通常含有机密的文件列表。",
        "excludedBy": "通常含有机密的文件列表",
    }
    place["uri"] = "file:///p/b.py"
    assert (await client.call("workspace/executeCommand", explain))["problem"] == "此文档未打开。"
    client.open("file:///p/b.py", f"# {ENGLISH}\nx = ")
    place["position"] = {"line": 1, "character": 4}
    assert ENGLISH in (await client.call("workspace/executeCommand", explain))["prompt"]


async def test_the_menu_counts_lines_in_the_clients_language(start, endpoint):
    endpoint.says = "if 1:\n        return 2\n"
    client = await start({"multiline": "always"}, locale="zh-cn")
    client.open(URI, "def f():\n    \n")
    assert await client.texts(URI, 1, 4, explicit=True) == ["if 1:\n        return 2"]
    at = {"textDocument": {"uri": URI}, "position": {"line": 1, "character": 4}}
    items = (await client.call("textDocument/completion", at))["items"]
    assert [one["labelDetails"]["description"] for one in items] == ["fim-lsp，2 行"]
