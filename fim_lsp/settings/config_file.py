"""The user's own file of settings, as it is read: a table of TOML, or why there is none."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

from fim_lsp.words.sentence import NOTHING, Sentence

UNTIL = Sentence("nothing is sent until it is put right")


class Unreadable(dict[str, Any]):
    """The settings of a file that cannot be read: none, and why."""

    def __init__(self, why: Sentence) -> None:
        super().__init__()
        self.why = why


def from_file(path: Path) -> tuple[dict[str, Any], list[Sentence]]:
    """The settings in a TOML file, and what is wrong with it; no file is no settings."""
    try:
        return tomllib.loads(path.read_text("utf-8-sig")), []
    except (FileNotFoundError, NotADirectoryError):
        return {}, []
    except UnicodeDecodeError:
        why = Sentence("{path} is not UTF-8: save it in that encoding; {until}.", path=path, until=UNTIL)
    except OSError as error:
        if _of_another(path):
            return {}, []
        kind = type(error).__name__
        why = Sentence("{path} cannot be read ({error}): {until}.", path=path, error=kind, until=UNTIL)
    except tomllib.TOMLDecodeError as error:
        # The parser's own sentence may quote the file, and the file may hold the key.
        at = re.search(r"\(at (?:line (\d+), column (\d+)|end of document)\)", str(error))
        where = (
            NOTHING
            if at is None
            else Sentence(" at line {line}, column {column}", line=at[1], column=at[2])
            if at[1]
            else Sentence(" at end of document")
        )
        why = Sentence("{path} is not valid TOML{where}: {until}.", path=path, where=where, until=UNTIL)
    return Unreadable(why), [why]


def _of_another(path: Path) -> bool:
    """Whether a file would be in a folder of another user who lets nobody look into it: it is none of this user's.

    As with any number in a container whose HOME is that of its superuser.
    """
    for folder in path.parents:
        try:
            owner = folder.stat().st_uid
        except OSError:
            continue
        return hasattr(os, "geteuid") and owner != os.geteuid() and not os.access(folder, os.X_OK)
    return False
