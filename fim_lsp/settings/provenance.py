"""Who may set what: the user's own places set everything, what may be a folder's only makes things stricter.

The user's own places are `config.toml`, the environment and `initializationOptions`: who writes the last names the
server's command too.  What a client sends while it runs (`workspace/configuration`, `workspace/didChangeConfiguration`)
may hold settings of the folder that is open, which its author wrote: editors merge these in, and some ask nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from fim_lsp.settings import language_names
from fim_lsp.settings.kinds import CLIENT_NAMES, MOST_SUFFIX, SUFFIX, WrongValueError, camel, snake
from fim_lsp.settings.settings import AUTO_DEBOUNCE, NAMES, Settings, explained, halts, taken
from fim_lsp.words.sentence import Sentence

LEVELS = ("off", "project", "rich")  # of `context`, the strictest first


class Rule(NamedTuple):
    """What a folder may do to a setting: in words, and what comes of the user's value and the folder's."""

    may: str
    join: Callable[[Any, Any], Any]


def _lower(held: float | None, wanted: float | None) -> float | None:
    return min((one for one in (held, wanted) if one is not None), default=None)


def _longer(held: float | str, wanted: float | str) -> float | str:
    """Of two pauses the longer one; the pause that is found by itself counts as its longest."""
    at_most = 1000 * AUTO_DEBOUNCE
    if isinstance(wanted, str):
        return wanted if held == 0 else held
    return wanted if wanted >= (at_most if isinstance(held, str) else held) else held


def _shorter(held: int | str, wanted: int | str) -> int | str:
    """Of two bounds of the suffix the lesser one; what `"auto"` comes to is not known here."""
    if isinstance(wanted, str):
        return wanted if isinstance(held, str) or held >= MOST_SUFFIX else held
    return wanted if wanted <= (SUFFIX if isinstance(held, str) else held) else held


def _levels(held: str | Mapping[str, str], wanted: str | Mapping[str, str]) -> str | dict[str, str]:
    """The lesser level, language by language."""

    def less(language: str) -> str:
        return min(_level(held, language), _level(wanted, language), key=LEVELS.index)

    named = {name for one in (held, wanted) if isinstance(one, Mapping) for name in one}
    return {name: less(name) for name in sorted(named | {"*"})} if named else less("*")


def _added(held: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[str, ...]:
    return held + tuple(one for one in wanted if one not in held and not one.startswith("!"))


def _manual(held: str, wanted: str) -> str:
    return "manual" if "manual" in {held, wanted} else wanted


def _surer(held: float | str, wanted: float | str) -> float | str:
    """Of two values of `confidence` the stricter one; what `"auto"` comes to is not known here, and stays beside a number."""
    if held == "off" or wanted == "off":
        return held if wanted == "off" else wanted
    return held if isinstance(held, str) or isinstance(wanted, str) else max(held, wanted)


NOTHING = Rule("not set it", lambda held, _: held)
FREELY = Rule("set it freely", lambda _, wanted: wanted)
OFF = Rule("only switch it off", lambda held, wanted: held and wanted)
ON = Rule("only switch it on", lambda held, wanted: held or wanted)
LOWER = Rule("only lower it", _lower)
SHORTER = Rule(LOWER.may, _shorter)
RAISE = Rule("only raise it", max)
SURER = Rule(RAISE.may, _surer)
LONGER = Rule("only lengthen it", _longer)
LESS = Rule("only choose less", _levels)
ADD = Rule("only add to it", _added)
MANUAL = Rule('only set it to `"manual"`', _manual)
ROWS = Rule(
    "set of a language what it may set of all", NOTHING.join
)  # joined row by row, by the rows' own rules

# What is not named here, a folder cannot set.
RULES: Mapping[str, Rule] = {
    "enabled": OFF,
    "api_key": NOTHING,
    "base_url": NOTHING,
    "model": NOTHING,
    "debounce_ms": LONGER,
    "max_tokens": LOWER,
    "temperature": FREELY,
    "prefix_chars": LOWER,
    "suffix_chars": SHORTER,
    "multiline": FREELY,
    "languages": ROWS,
    "context": LESS,
    "exclude": ADD,
    "trigger": MANUAL,
    "quiet_in": ADD,
    "confidence": SURER,
    "cache_size": RAISE,
    "cache_ttl_seconds": RAISE,
    "timeout_seconds": LOWER,
    "engine": NOTHING,
    "template": NOTHING,
    "ca_file": NOTHING,
    "headers": NOTHING,
    "affinity_header": NOTHING,
    "fallback": NOTHING,
    "daily_budget": LOWER,
    "monthly_budget": LOWER,
    "requests_per_minute": LOWER,
    "usage_project_names": NOTHING,
    "usage_keep_days": NOTHING,
    "spare_peak_hours": ON,
}


WHERE = Sentence("the editor's settings")


def table() -> dict[str, list[str]]:
    """What a folder may do, and the settings to which it may do it, by their names in editors."""
    found: dict[str, list[str]] = {}
    for name in NAMES:
        found.setdefault(RULES.get(name, NOTHING).may, []).append(camel(name))
    return found


def restrained(own: Settings, section: Mapping[str, Any], config: object) -> tuple[Settings, list[Sentence]]:
    """The user's settings, made stricter by what may be a folder's, and what is wrong with that.

    What would make them laxer is left out, and said in one sentence with the places where it counts; no message
    repeats a value.
    """
    wanted: dict[str, Any] = {}
    laxer: list[str] = []
    wrong: list[Sentence] = []
    halted = own.halted
    for name, value in section.items():
        if name in CLIENT_NAMES or value is None:
            continue
        try:
            inner, found = taken(name, value)
        except WrongValueError as error:
            inner = snake(name)
            if inner in NAMES and RULES.get(inner, NOTHING) is NOTHING:
                laxer.append(inner)
                continue
            wrong.append(explained(name, WHERE, error, None))
            if halts(name):
                halted = halted or wrong[-1]
        else:
            wanted[inner] = found
    new, more = _joined(replace(own, halted=halted), wanted)
    if laxer or more:
        names = ", ".join(f'"{camel(name)}"' for name in sorted({*laxer, *more}))
        wrong.append(
            Sentence(
                "{names} in {where}: left out, as these may be a folder's, which only makes things stricter; "
                "to have it, write it into {file} or initializationOptions.",
                names=names,
                where=WHERE,
                file=config,
            )
        )
    return new, wrong


def _joined(own: Settings, wanted: Mapping[str, Any]) -> tuple[Settings, set[str]]:
    """The stricter of both, and the names of what was wanted laxer."""
    if not wanted:
        return own, set()
    changed: dict[str, Any] = {}
    laxer: set[str] = set()
    rows: dict[str, Any] = {language: _own_row(language, row) for language, row in own.languages.items()}
    for name, value in wanted.items():
        if name == "languages":
            continue
        rule = RULES.get(name, NOTHING)
        held = getattr(own, name)
        changed[name] = held if value == held else rule.join(held, value)
        if _missing(changed[name], value):
            laxer.add(name)
        # What a language has of its own is no way around what is set for all.
        for language, row in rows.items():
            if name in row and rule is not FREELY:
                row[name] = rule.join(row[name], _level(value, language) if name == "context" else value)
    for named, row in wanted.get("languages", {}).items():
        # Under another name of the language, a row would stand beside the user's.
        language = next((one for one in (named, *language_names.same(named)) if one in rows), named)
        mine = own.of(language)
        for name, value in _row(row).items():
            held = own.context_of(language) if name == "context" else getattr(mine, name)
            rows.setdefault(language, {})[name] = RULES[name].join(held, value)
            if rows[language][name] != value:
                laxer.add("languages")
        if row is True and own.enabled and not mine.enabled:
            laxer.add("languages")
    for language, row in own.languages.items():
        if _own_row(language, row) == rows[language]:
            rows[language] = row
    return replace(own, **changed, languages=rows), laxer


def _row(row: bool | Mapping[str, Any]) -> dict[str, Any]:
    return dict(row) if isinstance(row, Mapping) else {} if row else {"enabled": False}


def _own_row(language: str, row: bool | Mapping[str, Any]) -> dict[str, Any]:
    """A row of the user's, that of a language that is off by itself saying so where it switches it on."""
    return {"enabled": True} if row is True and language_names.off(language) else _row(row)


def _missing(found: Any, wanted: Any) -> bool:
    """Whether something of what was wanted is not in what was found."""
    if isinstance(wanted, tuple):
        return any(one not in found for one in wanted)
    if isinstance(wanted, Mapping) or isinstance(found, Mapping):
        names = {name for one in (found, wanted) if isinstance(one, Mapping) for name in one} | {"*"}
        return any(_level(found, name) != _level(wanted, name) for name in names)
    return bool(found != wanted)


def _level(context: str | Mapping[str, str], language: str) -> str:
    """The value of `context` for a language."""
    if isinstance(context, str):
        return context
    own = context.get(language, language_names.row(context, language))
    return str(own if own is not None else context.get("*", "project"))
