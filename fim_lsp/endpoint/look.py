"""A look at an endpoint: which engine it is, which model it has, how that is asked.  No text of the user is sent."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from fim_lsp.endpoint import template as templates
from fim_lsp.endpoint.dialect import Dialect, at, dialects, of_host
from fim_lsp.endpoint.template import Template
from fim_lsp.settings.kinds import DEFAULT_MODEL
from fim_lsp.text.characters import visible
from fim_lsp.words.sentence import NOTHING, Sentence


class Said(NamedTuple):
    """An endpoint's answer to a look: its status, and its JSON where it is an object, else none."""

    status: int
    body: Mapping[str, Any]


Ask = Callable[
    [str, Mapping[str, Any] | None], Awaitable[Said]
]  # a path, and a body to post where there is one


@dataclass(frozen=True, slots=True)
class Found:
    """What is asked how: the engine's dialect, the model's name, the template where prompts are rendered here.

    `context_tokens` bound prompt and answer together, 0 where nothing is known.  `by` says what told the engine;
    `names` are those by which the model's family may be known, `setting` is what the setting says in its place; `problem` is a sentence for the user where something has to be written into the settings.
    """

    dialect: Dialect
    model: str
    template: Template | None = None
    context_tokens: int = 0
    version: str = ""
    by: str = ""
    problem: Sentence = NOTHING
    names: tuple[str, ...] = ()
    setting: str = ""

    @property
    def engine(self) -> str:
        """The engine's name, as the setting has it."""
        return self.dialect.base or self.dialect.name

    def model_of(self, setting: str) -> str:
        """The model that is asked where the setting has this one."""
        return self.model if setting == self.setting else setting

    def priced_as(self, setting: str) -> str:
        """The same as tables of prices and the record name it: with its engine, but for the service's own."""
        # What llama.cpp lists is the path of a file, which is nobody's business later on.
        model = re.sub(r"^(?:/|[A-Za-z]:\\).*[/\\]", "", self.model_of(setting))
        vendor = self.dialect.vendor or self.engine
        return model if vendor == "deepseek" else f"{vendor}/{model}"


def at_once(host: str, engine: str, model: str, template: str | Mapping[str, Any]) -> Found | None:
    """What needs no look: a vendor's host, or its name in the settings."""
    dialect = _of_setting(host, engine)
    if dialect is None or not dialect.key:
        return None
    by = "host" if engine == "auto" else "setting"
    named = dialect.default_model if model == DEFAULT_MODEL and dialect.default_model else model
    return _complete(Found(dialect, named, by=by, setting=model), template, named)


def _of_setting(host: str, engine: str) -> Dialect | None:
    """The row that host and setting tell without a look; None where they tell none."""
    vendor = of_host(host)
    if engine == "auto":
        return vendor
    if vendor is not None and engine == "chat-prefix":
        return dialects().get(f"{engine}-{vendor.name}", dialects()[engine])
    return dialects()[engine]


def for_now(host: str, engine: str, model: str, template: str | Mapping[str, Any]) -> Found:
    """What is taken for the endpoint as long as it does not say: what is set, else the service itself."""
    dialect = _of_setting(host, engine) or dialects()["deepseek"]
    return _complete(Found(dialect, model, by="setting", setting=model), template, model)


async def look(ask: Ask, engine: str, model: str, template: str | Mapping[str, Any]) -> Found | None:
    """What an endpoint is; None where it did not answer, or with nothing that is told from its answers."""
    by, ask = "setting", _each_once(ask)
    if engine == "auto":
        known = await _identified(ask)
        if known is None:
            return None
        name, by = known
    else:
        name = engine
    dialect = dialects()[name]
    listed = await ask(dialect.list, None)
    if not listed.status or listed.status >= 500 or listed.status in {401, 403}:
        return None
    entries = _entries(listed.body)
    found = Found(dialect, model, by=by, setting=model)
    chosen, entry, problem = _chosen(entries, model, dialect)
    found = replace(found, model=chosen, problem=problem, context_tokens=dialect.context_tokens)
    names = [chosen, *(str(entry[key]) for key in ("root", "path") if isinstance(entry.get(key), str))]
    learn = _LEARN.get(name)
    if learn is not None:
        found, more = await learn(ask, found, entry)
        names += more
    else:
        found = replace(found, context_tokens=_size(entry.get("max_model_len")) or found.context_tokens)
    return _complete(found, template, *names)


def _complete(found: Found, setting: str | Mapping[str, Any], *models: str) -> Found:
    """With the template where one is needed or was chosen, and the dialect that takes it."""
    found = replace(found, names=models)
    dialect = found.dialect
    own = setting != "auto"
    if dialect.suffix and not (own and dialect.templated):
        return found
    if dialect.chat:
        return found
    if dialect.suffix:
        dialect = dialects()[dialect.templated]
    chosen = templates.chosen(setting, *models)
    if chosen is None and dialect.template:
        chosen = templates.families()[dialect.template]
    if chosen is None:
        return replace(found, dialect=dialect, problem=found.problem or lacking(found.model))
    return replace(found, dialect=dialect, template=chosen)


def lacking(model: str) -> Sentence:
    """What is said where no template is known for a model."""
    return Sentence(
        'No FIM template is known for the model "{model}": write its family into the setting template, such as '
        '"qwen", or its own, such as {"prompt": "<PRE>{prefix}<SUF>{suffix}<MID>"}.',
        model=model,
    )


def with_template(found: Found, setting: str | Mapping[str, Any]) -> Found | None:
    """The same engine with prompts rendered here, after it has refused a suffix; None where that cannot be."""
    if not found.dialect.suffix or not found.dialect.templated:
        return None
    return _complete(
        replace(found, dialect=dialects()[found.dialect.templated], problem=NOTHING), setting, *found.names
    )


def without_suffix(found: Found, setting: str | Mapping[str, Any]) -> Found:
    """How a prompt that nothing follows is asked, where the engine would not take it for a hole."""
    if found.dialect.empty_suffix != "template" or found.template is not None:
        return found
    other = with_template(found, setting) or found
    return (
        other
        if other.template is not None
        else replace(other, template=templates.own("{prefix}", ()), problem=NOTHING)
    )


def _each_once(ask: Ask) -> Ask:
    """The same, with what was answered once not asked again."""
    kept: dict[str, Said] = {}

    async def once(path: str, body: Mapping[str, Any] | None) -> Said:
        if body is not None:
            return await ask(path, body)
        if path not in kept:
            kept[path] = await ask(path, None)
        return kept[path]

    return once


async def _identified(ask: Ask) -> tuple[str, str] | None:
    """The engine's name and what told it."""
    first = await ask("/v1/models", None)
    if not first.status or first.status in {401, 403} or first.status >= 500:
        return None
    entries = _entries(first.body)
    owners = {str(entry.get("owned_by", "")).lower() for entry in entries}
    for name, dialect in dialects().items():
        if owners & set(dialect.owners):
            return name, "/v1/models"
    if any(at(entry, "capabilities.completion_fim") is not None for entry in entries):
        return "mistral", "/v1/models"
    if _of_service(entries):
        return "deepseek", "/v1/models"
    if not entries:
        # The service's own list stands elsewhere, and so do gateways to it.
        second = await ask("/models", None)
        if _of_service(_entries(second.body)):
            return "deepseek", "/models"
    telling = [(name, one.tells) for name, one in dialects().items() if one.tells is not None]
    said = await asyncio.gather(*(ask(tell.path, None) for _, tell in telling))
    for (name, tell), answer in zip(telling, said, strict=True):
        if answer.status == 200 and answer.body.get(tell.field) is not None:
            return name, tell.path
    fim = await ask("/v1/fim/completions", None)
    if fim.status in {401, 405, 422}:
        return "mistral", "/v1/fim/completions"
    names = [str(entry.get("id")) for entry in entries]
    for name, dialect in dialects().items():
        if dialect.models and any(re.search(dialect.models, one) for one in names):
            return name, "/v1/models"
    return ("openai-template", "/v1/models") if entries else None


def _of_service(entries: list[Mapping[str, Any]]) -> bool:
    """Whether these are the models of the service: names that nobody else gives to what he serves himself."""
    names = [str(entry.get("id")) for entry in entries]
    return bool(names) and all(
        re.match(r"deepseek-(flash|chat|reasoner|v\d[\w.-]*-(flash|pro))$", one) for one in names
    )


def _entries(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The models that an answer lists, with `id` for their names."""
    listed = body.get("data") if isinstance(body.get("data"), list) else body.get("models")
    found: list[Mapping[str, Any]] = []
    for entry in listed if isinstance(listed, list) else []:
        if isinstance(entry, Mapping):
            name = entry.get("id") or entry.get("name") or entry.get("model")
            if isinstance(name, str) and re.fullmatch(r"[!-~]{1,300}", name):
                found.append({**entry, "id": name})
    return found


def _chosen(
    entries: list[Mapping[str, Any]], setting: str, dialect: Dialect
) -> tuple[str, Mapping[str, Any], Sentence]:
    """The model to ask for, its entry in the list, and what is to be said of the choice."""
    none: Mapping[str, Any] = {}
    if setting != DEFAULT_MODEL:
        for entry in entries:
            if entry["id"] == setting or str(entry["id"]).removesuffix(":latest") == setting:
                return str(entry["id"]), entry, NOTHING
        return setting, none, NOTHING
    if any(entry["id"] == setting for entry in entries):
        return setting, next(entry for entry in entries if entry["id"] == setting), NOTHING
    if dialect.default_model:
        return dialect.default_model, none, NOTHING
    fit = entries if len(entries) == 1 else sorted(filter(_fim, entries), key=_liking)
    if fit:
        return str(fit[0]["id"]), fit[0], NOTHING
    names = ", ".join(str(entry["id"]) for entry in entries[:5])
    said = Sentence(
        "No model there is known to fill in the middle ({names}): name one in the setting model.", names=names
    )
    return setting, none, said if entries else NOTHING


def _liking(entry: Mapping[str, Any]) -> tuple[bool, bool]:
    """Of several models, those for code come first, and of these the ones that were not tuned to chat."""
    name = str(entry["id"])
    code = re.search(r"code|coder|codestral|mellum", name, re.IGNORECASE)
    chats = re.search(r"instruct|chat|\bit\b", name, re.IGNORECASE)
    return code is None, chats is not None


def _fim(entry: Mapping[str, Any]) -> bool:
    names = [str(entry.get(key, "")) for key in ("id", "root")]
    embeds = any(re.search(r"embed|rerank|whisper|-vl\b", name, re.IGNORECASE) for name in names)
    return not embeds and any(templates.family_of(name) is not None for name in names)


async def _llama_cpp(ask: Ask, found: Found, _: Mapping[str, Any]) -> tuple[Found, list[str]]:
    """The context of a slot, the file of the model, the build."""
    props = (await ask("/props", None)).body
    names = [str(props[key]) for key in ("model_alias", "model_path") if isinstance(props.get(key), str)]
    build = props.get("build_info")
    return (
        replace(
            found,
            context_tokens=_size(at(props, "default_generation_settings.n_ctx")),
            version=_version(build),
        ),
        [name.replace("\\", "/").rpartition("/")[2] for name in names],
    )


async def _ollama(ask: Ask, found: Found, _: Mapping[str, Any]) -> tuple[Found, list[str]]:
    """The version, whether the model has a template for a suffix, and the context that it has or is loaded with."""
    version, shown, loaded = await asyncio.gather(
        ask("/api/version", None), ask("/api/show", {"model": found.model}), ask("/api/ps", None)
    )
    said = version.body.get("version")
    capabilities = shown.body.get("capabilities")
    dialect = found.dialect
    if isinstance(capabilities, list) and "insert" not in capabilities:
        dialect = dialects()[dialect.templated]
    info = shown.body.get("model_info")
    longest = 0
    if isinstance(info, Mapping):
        lengths = (value for key, value in info.items() if str(key).endswith(".context_length"))
        longest = next((size for value in lengths if (size := _size(value))), 0)
    context = (
        _loaded(loaded.body, found.model) or _parameter(shown.body.get("parameters")) or found.context_tokens
    )
    if longest:
        context = min(context, longest)
    family = at(shown.body, "details.family")
    return (
        replace(found, dialect=dialect, context_tokens=context, version=_version(said)),
        [family] if isinstance(family, str) else [],
    )


def _loaded(body: Mapping[str, Any], model: str) -> int:
    """The context with which a model is loaded now; asking for another would load it anew."""
    for entry in _entries(body):
        if entry["id"] == model:
            return _size(entry.get("context_length"))
    return 0


def _parameter(text: Any) -> int:
    found = re.search(r"^num_ctx\s+(\d{3,7})\s*$", text, re.MULTILINE) if isinstance(text, str) else None
    return _size(int(found[1])) if found else 0


def _size(value: Any) -> int:
    """A number of tokens that a context can have; 0 for anything else."""
    return value if type(value) is int and 256 <= value <= 100_000_000 else 0


def _version(value: Any) -> str:
    return visible(value, most=40) if isinstance(value, str) else ""


async def _vllm(ask: Ask, found: Found, entry: Mapping[str, Any]) -> tuple[Found, list[str]]:
    """The version, and the context that the list tells."""
    said = (await ask("/version", None)).body.get("version")
    context = _size(entry.get("max_model_len"))
    return replace(found, version=_version(said), context_tokens=context), []


async def _sglang(ask: Ask, found: Found, entry: Mapping[str, Any]) -> tuple[Found, list[str]]:
    """The path of the model, which its name at the endpoint need not tell."""
    info = (await ask("/get_model_info", None)).body
    path = info.get("model_path")
    return replace(found, context_tokens=_size(entry.get("max_model_len"))), [path] if isinstance(
        path, str
    ) else []


_LEARN: Mapping[str, Callable[[Ask, Found, Mapping[str, Any]], Awaitable[tuple[Found, list[str]]]]] = {
    "llama.cpp": _llama_cpp,
    "ollama": _ollama,
    "sglang": _sglang,
    "vllm": _vllm,
}
