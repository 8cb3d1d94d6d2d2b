"""The doctor says which engine an endpoint is, which model and template it has, and what to write where nothing fits."""

import pytest
from standins import LlamaCpp, Mlx, Suffixed, Vllm

from fim_lsp.commands import doctor
from fim_lsp.commands.main import connector
from fim_lsp.text import grammar


async def checks(tmp_path, at, more=""):
    await at.start()
    config = tmp_path / "config.toml"
    config.write_text(f'base_url = "{at.url}"\n{more}')
    try:
        found = await doctor.examine(connect=connector(demo=False), config=config, environ={}, demo=False)
    finally:
        await at.stop()
    return {check.name: check for check in found}


async def test_an_engine_of_ones_own_is_well_without_a_key(tmp_path):
    """All is right: no key, no balance, the model that is listed."""
    found = await checks(tmp_path, LlamaCpp())
    assert all(check.good for check in found.values())
    assert found["engine"].found == "llama.cpp b10068-abcdef, told by /v1/models, 16384 tokens of context"
    assert found["template"].found == "the engine's own"
    assert found["model"].found == LlamaCpp.model
    assert "none is asked for" in found["key"].found
    assert "balance" not in found
    assert "first text after" in found["completion"].found


async def test_the_template_is_named(tmp_path):
    """By the model, or by the setting."""
    found = await checks(tmp_path, Vllm())
    assert (found["engine"].posted, found["template"].found) == ("vllm", "qwen")
    found = await checks(tmp_path, Vllm(), 'template = "starcoder"\n')
    assert found["template"].found == "starcoder"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("team-coder",), "write its family into the setting template"),
        (("a", "b"), "name one in the setting model"),
    ],
)
async def test_where_nothing_fits_it_is_said_what_to_write(tmp_path, names, said):
    at = Suffixed()
    at.names = names
    found = await checks(tmp_path, at)
    assert not found["template"].good
    assert said in found["template"].found


@pytest.mark.parametrize(("make", "tells"), [(LlamaCpp, True), (Mlx, False)])
async def test_it_is_said_whether_an_engine_tells_how_sure_its_model_is(tmp_path, make, tells):
    """Where the setting asks for it, by what came with a completion; else nothing is asked and nothing said."""
    at = make()
    assert "confidence" not in await checks(tmp_path, at)
    assert "n_probs" not in at.body
    found = await checks(tmp_path, make(), 'confidence = "auto"\n')
    assert found["confidence"].good
    assert ("has no effect" in found["confidence"].found) is not tells


@pytest.mark.parametrize("there", [True, False])
async def test_the_doctor_says_whose_parsers_are_there(monkeypatch, tmp_path, there):
    """And how to get the others, which is no fault."""
    monkeypatch.setattr(grammar, "_parser", lambda name: object() if there else None)
    checks = await doctor.examine(
        connect=connector(demo=True), config=tmp_path / "none", environ={}, demo=True
    )
    (parsers,) = [check for check in checks if check.name == "parsers"]
    assert parsers.good
    assert "python" in parsers.found
    assert ("rust" in parsers.found, "fim-lsp[syntax]" in parsers.found) == (there, not there)
