"""What a user may set: one definition, from which the README, the editors' schemas and every check are drawn."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from fim_lsp.settings import kinds, language_names
from fim_lsp.settings.config_file import UNTIL, Unreadable
from fim_lsp.settings.fallback import Fallback, fallback
from fim_lsp.settings.headers import header_name, header_table
from fim_lsp.settings.kinds import DEFAULT_MODEL, OWN, SERVICE, Kind, WrongValueError, camel, snake
from fim_lsp.words.sentence import NOTHING, Sentence

AUTO_DEBOUNCE = 0.075  # seconds that `"debounceMs": "auto"` waits after a key, within a burst of them


# Settings that hold something back: a wrong one stops everything until it is put right, for what it was to hold back
# would leave in its place.
HOLDING = frozenset(
    {
        "enabled",
        "api_key",
        "base_url",
        "headers",
        "languages",
        "context",
        "exclude",
        "trigger",
        "quiet_in",
        "daily_budget",
        "monthly_budget",
        "requests_per_minute",
    }
)


def _setting(default: Any, kind: Kind, doc: str, *, hidden: bool = False) -> Any:
    metadata = {"kind": kind, "doc": doc}
    if isinstance(default, dict):
        return field(default_factory=default.copy, metadata=metadata, repr=not hidden)
    return field(default=default, metadata=metadata, repr=not hidden)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set, with its default; a value is never changed, a new one takes its place."""

    enabled: bool = _setting(True, OWN["enabled"], "Whether completions are offered at all.")
    api_key: str | None = field(
        default=None,
        repr=False,
        metadata={
            "kind": kinds.key(),
            "doc": "The service's key; better kept in `DEEPSEEK_API_KEY` or the editor's secret store.",
        },
    )
    base_url: str = _setting(
        SERVICE, kinds.url(), "The endpoint; with or without `/beta`, `/v1` or a `/` at its end."
    )
    model: str = _setting(
        DEFAULT_MODEL,
        kinds.model(),
        "The model that completes; with this default, what another engine lists or has as its own.",
    )
    debounce_ms: float | str = _setting(
        "auto",
        OWN["debounce_ms"],
        'Milliseconds to wait after a key; 0 asks at once. `"auto"`: 75, and none after half a second without a request.',
    )
    max_tokens: int = _setting(256, OWN["max_tokens"], "Most tokens of one completion.")
    temperature: float = _setting(0.0, OWN["temperature"], "0 for the likeliest text, up to 2 for variety.")
    prefix_chars: int = _setting(
        48_000, kinds.number(200, 1_000_000, whole=True), "Most characters sent from before the cursor."
    )
    suffix_chars: int | str = _setting(
        "auto",
        kinds.number(0, 100_000, whole=True, also=["auto"]),
        f'Most characters sent from after the cursor. `"auto"`: {kinds.SUFFIX}, and up to 2,500 to a quick engine of your own.',
    )
    multiline: str = _setting("auto", OWN["multiline"], "Whether a completion may span several lines.")
    languages: Mapping[str, bool | Mapping[str, Any]] = _setting(
        {},
        kinds.languages(),
        'Languages on or off, or with settings of their own: `{"markdown": false, "go": {"multiline": "never"}}`;'
        f" these are {', '.join(f'`{camel(name)}`' for name in OWN)}.",
    )
    context: str | Mapping[str, str] = _setting(
        "project",
        kinds.choice_by_name("off", "project", "rich"),
        'What is sent besides the file: nothing (`"off"`), about 2,000 tokens of the project, or 4,000 (`"rich"`);'
        ' by language: `{"*": "project", "markdown": "off"}`.',
    )
    exclude: tuple[str, ...] = _setting(
        (),
        kinds.globs(),
        "Files never sent, as globs, besides those that usually hold secrets; `!glob` brings one back.",
    )
    trigger: str = _setting(
        "auto",
        OWN["trigger"],
        'When completions come: by themselves, or only when asked for (`"manual"`), in the menu as well.',
    )
    quiet_in: tuple[str, ...] = _setting(
        (), OWN["quiet_in"], 'Places where none comes by itself: `"comment"`, `"string"`.'
    )
    confidence: float | str = _setting(
        "off",
        OWN["confidence"],
        'How sure the model has to be of what is shown, from 0 to 1, or `"auto"`: a suggestion ends before the line where it no'
        " longer is, and where its first words are a guess there is none until you ask; where the engine tells.",
    )
    cache_size: int = _setting(
        1000, kinds.number(0, 100_000, whole=True), "Answers kept on this machine, in memory."
    )
    cache_ttl_seconds: float = _setting(
        3600.0, kinds.number(0, 604_800), "Seconds for which an answer is kept."
    )
    timeout_seconds: float = _setting(
        10.0, kinds.number(0.1, 600), "Seconds that one completion may take, all told."
    )
    engine: str = _setting(
        "auto",
        kinds.choice(*kinds.ENGINES),
        'What the endpoint speaks; `"auto"`: by its host, or by one look at it. `"chat-prefix"` is never chosen by itself.',
    )
    template: str | Mapping[str, Any] = _setting(
        "auto",
        kinds.template(),
        "The FIM template of prompts rendered here: a family's, by the model's name (`\"auto\"`), or your own:"
        ' `{"prompt": "<PRE>{prefix}<SUF>{suffix}<MID>", "stop": []}`.',
    )
    ca_file: str | None = _setting(
        None,
        kinds.path(),
        "The path of certificates in PEM that are trusted besides the system's, or those of `SSL_CERT_FILE`.",
    )
    headers: Mapping[str, str] = _setting(
        {},
        header_table(),
        'Headers that are sent along to the endpoint, as a gateway may want them: `{"X-Team": "blue"}`; their values are'
        " never shown.",
        hidden=True,
    )
    affinity_header: str | None = _setting(
        None,
        header_name(),
        "A header that carries a random value, the same for a workspace, by which a router keeps to one replica.",
    )
    fallback: tuple[Fallback, ...] = _setting(
        (),
        fallback(),
        "Endpoints asked in this order while those before them rest (429, 5xx, no network): "
        '`[{"baseUrl": "http://127.0.0.1:8080", "model": "qwen"}]`; each may have `apiKeyEnv`, the variable that holds'
        " its key, `headers`, `affinityHeader`, and `evenIfRefused`: also where a key is refused or an account empty.",
    )
    daily_budget: float | None = _setting(
        None,
        kinds.number(0, 1_000_000, optional=True),
        "US dollars that completions may cost a day, in your time zone; they pause when it is used. Not set: no limit.",
    )
    monthly_budget: float | None = _setting(
        None,
        kinds.number(0, 1_000_000, optional=True),
        "US dollars that completions may cost a month, in your time zone; they pause when it is used. Not set: no limit.",
    )
    requests_per_minute: int | None = _setting(
        None,
        kinds.number(1, 100_000, whole=True, optional=True),
        "Requests to the service in any minute. Not set: no limit.",
    )
    usage_project_names: bool = _setting(
        True, kinds.flag(), "Whether the record of usage keeps the name of a project's folder."
    )
    usage_keep_days: int = _setting(
        90,
        kinds.number(1, 3650, whole=True),
        "Days for which each request is kept in the record; older ones become one sum a day.",
    )
    spare_peak_hours: bool = _setting(
        False,
        kinds.flag(),
        "Whether fewer completions come by themselves while the service charges its peak price.",
    )

    # No setting: why nothing may be sent until the settings are put right; empty where they are.
    halted: Sentence = NOTHING

    # No setting: which entry of `fallback` these are the settings of; None for the endpoint that is asked first.
    entry: Fallback | None = None

    # No setting: what names the folders that are open; `affinity_header` has another value for each.
    workspace: str = ""

    def most_suffix(self, auto: int = kinds.SUFFIX) -> int:
        """Most characters of a suffix; `auto` where that is left to what is asked."""
        return auto if isinstance(self.suffix_chars, str) else self.suffix_chars

    @property
    def off(self) -> bool:
        """Whether nothing is offered in any language."""
        return bool(self.halted) or (not self.enabled and not any(self.own("enabled").values()))

    @property
    def budgeted(self) -> bool:
        """Whether dollars are limited."""
        return self.daily_budget is not None or self.monthly_budget is not None

    @property
    def limited(self) -> bool:
        """Whether dollars or requests are limited."""
        return self.budgeted or self.requests_per_minute is not None

    def endpoints(self) -> tuple[Settings, ...]:
        """These settings, and what they are for each entry of `fallback`, in the order in which they are asked.

        An entry that repeats another is left out; only the first endpoint's own address has its key without naming it.
        """
        found = [replace(self, fallback=())]
        for entry in self.fallback:
            one = replace(
                found[0],
                base_url=entry.base_url,
                model=entry.model or DEFAULT_MODEL,
                engine=entry.engine,
                template=entry.template,
                api_key=self.api_key if entry.base_url == self.base_url and not entry.api_key_env else None,
                headers=entry.headers,
                affinity_header=entry.affinity_header,
                entry=entry,
            )
            if all(_asked(one) != _asked(other) for other in found):
                found.append(one)
        return tuple(found)

    def own(self, name: str) -> dict[str, Any]:
        """The languages that have a value of their own for a setting, and the values."""
        rows = self.languages.items()
        return {language: own[name] for language, own in rows if isinstance(own, Mapping) and name in own}

    def of(self, language: str) -> Settings:
        """The settings for a language: what it has of its own in the place of what holds for all."""
        own = language_names.row(self.languages, language)
        if self.halted:
            return replace(self, enabled=False)
        if own is None:
            own = not language_names.off(language)
        if isinstance(own, bool):
            return self if own else replace(self, enabled=False)
        if language_names.off(language):
            own = {"enabled": False, **own}
        return replace(self, **own)

    def context_of(self, language: str) -> str:
        """The value of `context` for a language."""
        context = self.of(language).context
        if isinstance(context, str):
            return context
        own = language_names.row(context, language)
        return str(own if own is not None else context.get("*", "project"))

    def shown(self, language: str) -> str:
        """The value of `context` for a language; "off" where nothing is offered in it: then it is not shown to others."""
        return self.context_of(language) if self.of(language).enabled else "off"

    def levels(self) -> set[str]:
        """The values of `context` that some language may have."""
        held = {self.context} if isinstance(self.context, str) else {*self.context.values(), "project"}
        return held | set(self.own("context").values())


def _asked(settings: Settings) -> tuple[str, ...]:
    """What makes an endpoint another one."""
    return settings.base_url, settings.model, settings.engine


_FIELDS = {f.name: f for f in fields(Settings) if f.metadata}
NAMES = tuple(_FIELDS)


def schema() -> dict[str, dict[str, Any]]:
    """Every setting by its name in editors: JSON Schema with default and description."""
    defaults = Settings()
    out = {}
    for name, spec in _FIELDS.items():
        default = getattr(defaults, name)
        if isinstance(default, tuple):
            default = list(default)
        out[camel(name)] = {
            **spec.metadata["kind"].schema,
            "default": default,
            "description": spec.metadata["doc"],
        }
    return out


def merged(layers: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[Settings, list[Sentence]]:
    """The settings from layers of `(where it stands, names to values)`, later ones winning, and what was wrong in them.

    Names are taken in camelCase or snake_case; a null means not set.  A wrong value leaves in force what stood before;
    one of a setting that holds something back halts all.  No message repeats a wrong value, nor any value of the key:
    both might be a key.
    """
    settings, wrong, halted = Settings(), list[Sentence](), NOTHING
    beta = False  # whether the address is written as only the service's own is
    for where, layer in layers:
        if isinstance(layer, Unreadable):
            halted = halted or layer.why
        for name, value in layer.items():
            if name in kinds.CLIENT_NAMES or value is None:
                continue
            try:
                inner, found = taken(name, value)
            except WrongValueError as error:
                wrong.append(explained(name, where, error, getattr(settings, snake(name), None)))
                if halts(name):
                    halted = halted or wrong[-1]
            else:
                settings = replace(settings, **{inner: found})
                beta = beta if inner != "base_url" else kinds.of_service(value)
    if beta and settings.engine == "auto":
        settings = replace(settings, engine="deepseek")
    return replace(settings, halted=halted), wrong


def taken(name: str, value: Any) -> tuple[str, Any]:
    """A setting's name in snake_case and its value as it is held; else a WrongValueError."""
    inner = snake(name)
    if inner not in _FIELDS:
        raise WrongValueError(Sentence("is not known"))
    return inner, _FIELDS[inner].metadata["kind"].check(value)


def halts(name: str) -> bool:
    """Whether a setting of that name, with a wrong value or misspelt, may have been to hold something back."""
    inner = snake(name)
    return inner in HOLDING or (inner not in _FIELDS and bool(_meant(name)))


def explained(name: str, where: str, error: WrongValueError, before: object) -> Sentence:
    """What is said of a wrong setting, with `before` the value that stays in force.

    What cannot be a name might be a key, and is not repeated.
    """
    inner = snake(name)
    if inner in HOLDING:
        return Sentence(
            'Setting "{name}" in {where} {why}; {until}.', name=name, where=where, why=error.why, until=UNTIL
        )
    if inner in _FIELDS:
        return Sentence(
            'Setting "{name}" in {where} {why}; {value} stays in force.',
            name=name,
            where=where,
            why=error.why,
            value=_shown(before),
        )
    shown = f' "{name}"' if re.fullmatch(r"[A-Za-z_.-]{1,60}", name) else ""
    if meant := _meant(name):
        return Sentence(
            "Unknown setting{name} in {where}: write {meant}; {until}.",
            name=shown,
            where=where,
            meant=meant,
            until=UNTIL,
        )
    return Sentence("Unknown setting{name} in {where}: it is ignored.", name=shown, where=where)


def _meant(name: str) -> str:
    """What to write in the place of a name that is none, where a setting that holds something back may be meant."""
    bare = re.sub(r"[^a-z]", "", name.lower())
    if bare == "fimlsp":
        return Sentence("what stands in it without this table")
    from difflib import get_close_matches  # noqa: PLC0415 - rarely wanted, and no client waits for it

    close = get_close_matches(bare, [one.replace("_", "") for one in NAMES], 1, 0.8)
    found = next((one for one in NAMES if close and one.replace("_", "") == close[0]), "")
    return f'"{camel(found)}"' if found in HOLDING else ""


def _shown(value: object) -> str:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return f'"{value}"' if isinstance(value, str) else f"{value:.15g}"
    return Sentence("what was set before")


def from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The settings that stand in the environment."""
    names = {"DEEPSEEK_API_KEY": "apiKey", "FIM_LSP_BASE_URL": "baseUrl", "FIM_LSP_MODEL": "model"}
    return {names[k]: environ[k] for k in names if environ.get(k, "").strip()}
