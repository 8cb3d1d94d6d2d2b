"""What may be set, for all languages and for one."""

import pytest
from world import URI, World

from fim_lsp.settings.settings import Settings, merged
from fim_lsp.text.document import Document, Place

OWN = {
    "markdown": False,
    "python": {"maxTokens": 9, "multiline": "never", "enabled": True, "context": "rich"},
}


def chosen(**settings):
    """The settings, of which none is wrong."""
    found, wrong = merged([("here", settings)])
    assert wrong == []
    return found


def test_a_language_has_what_is_its_own_and_the_rest_in_common():
    found = chosen(languages=OWN, maxTokens=50, temperature=1)
    python, go = found.of("python"), found.of("go")
    assert (python.max_tokens, python.multiline, python.temperature) == (9, "never", 1.0)
    assert go == found
    assert (go.max_tokens, go.enabled, found.of("markdown").enabled) == (50, True, False)
    assert (found.context_of("python"), found.context_of("go"), found.levels()) == (
        "rich",
        "project",
        {"rich", "project"},
    )


def test_one_language_can_be_on_where_all_others_are_off():
    assert chosen(enabled=False).off
    found = chosen(enabled=False, languages=OWN)
    assert not found.off
    assert [found.of(name).enabled for name in ("python", "go", "markdown")] == [True, False, False]
    assert chosen(enabled=False, languages={"python": True}).off


def test_null_is_not_set():
    assert chosen(languages={"go": {"maxTokens": None}}).of("go") == chosen(languages={"go": {}}).of("go")


@pytest.mark.parametrize(
    ("languages", "said"),
    [
        ({"go": {"maxTokens": 0}}, 'has a wrong "maxTokens": it must be a whole number from 1 to 4096'),
        (
            {"go": {"context": {"*": "off"}}},
            'has a wrong "context": it must be one of "off", "project", "rich"',
        ),
        ({"go": {"model": "secret"}}, "may set for a language enabled, debounceMs, maxTokens, "),
        ({"go": "never"}, "must name languages with true, false or settings of their own"),
        (["go"], "must name languages with true, false or settings of their own"),
    ],
)
def test_what_is_wrong_for_a_language_is_said(languages, said):
    found, wrong = merged([("the file", {"languages": languages})])
    assert found == Settings(halted=wrong[0])
    assert len(wrong) == 1
    assert wrong[0].startswith(f'Setting "languages" in the file {said}')
    assert wrong[0].endswith("; nothing is sent until it is put right.")
    assert "secret" not in wrong[0]


async def test_a_language_is_asked_for_with_what_is_its_own():
    """Tokens, temperature, lines, pause before asking; a change of one language's own takes effect at once."""
    world = World()
    settings = chosen(
        languages={"python": {"maxTokens": 9, "temperature": 0.5, "multiline": "never", "debounceMs": 800}},
        debounceMs=0,
    )
    await world.engine.configure(settings)
    world.engine.open(Document(URI, "python", 0, "def f():\n    "))
    world.engine.open(Document("file:///b.go", "go", 0, "func f() {\n\t"))
    world.service.says = "a\n    b\n"
    offers = await world.engine.complete(URI, Place(1, 4))
    assert ([offer.text for offer in offers], world.now) == (["a"], 0.8)
    await world.engine.complete("file:///b.go", Place(1, 1))
    assert [(r.max_tokens, r.temperature) for r in world.service.requests] == [(9, 0.5), (256, 0.0)]
    await world.engine.configure(chosen(languages={"python": {"multiline": "always"}}, debounceMs=0))
    offers = await world.engine.complete(URI, Place(1, 4))
    assert [offer.text for offer in offers] == ["a\n    b"]
    await world.engine.configure(chosen(languages={"python": {"enabled": False}}))
    assert await world.engine.complete(URI, Place(1, 4), explicit=True) == ()


@pytest.mark.parametrize(
    ("layers", "address", "engine"),
    [
        ([{"baseUrl": "http://h/beta"}], "http://h", "deepseek"),
        ([{"baseUrl": "http://h/beta/completions/"}], "http://h", "deepseek"),
        ([{"baseUrl": "http://h/beta", "engine": "vllm"}], "http://h", "vllm"),
        ([{"baseUrl": "http://h/beta"}, {"baseUrl": "http://h/v1/"}], "http://h", "auto"),
        ([{"baseUrl": "http://h:1/api/generate"}], "http://h:1", "auto"),
        ([{"baseUrl": "http://h/v1/fim/completions"}], "http://h", "auto"),
        ([{"baseUrl": "http://h/v1/chat/completions"}], "http://h", "auto"),
        ([{"baseUrl": "http://h/infill"}], "http://h", "auto"),
        ([{"baseUrl": "http://h/team/v3"}], "http://h/team/v3", "auto"),
        ([{"baseUrl": "http://beta/"}], "http://beta", "auto"),
    ],
)
def test_an_address_may_say_the_engine(layers, address, engine):
    """`/beta` is the service's own; what else an address ends in says nothing but where it is."""
    found, wrong = merged([(f"layer {n}", layer) for n, layer in enumerate(layers)])
    assert wrong == []
    assert (found.base_url, found.engine) == (address, engine)


@pytest.mark.parametrize(
    "template",
    [
        "llama",
        {"prompt": "no place"},
        {"prompt": 3},
        {"prompt": "{prefix}", "end": []},
        {"prompt": "{prefix}", "stop": [1]},
    ],
)
def test_a_template_that_is_none_is_said(template):
    """The default stays in force."""
    found, wrong = merged([("the file", {"template": template})])
    assert found == Settings()
    assert wrong[0].startswith('Setting "template" in the file must be ')
