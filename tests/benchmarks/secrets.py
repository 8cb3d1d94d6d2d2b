"""Measures how often code is taken for a secret, and what looking for them costs.

Run it as `python tests/benchmarks/secrets.py [FOLDER]`; the folder is Python's standard library if none is given.  Every
file in which something was replaced is printed with the first such line, shortened, so that one can judge it.
"""

import statistics
import sys
import sysconfig
import time
from pathlib import Path

from fim_lsp.privacy.secrets import Redactor

WINDOW = 48_000  # characters


def main(folder):
    files = found = 0
    cold, warm, typed = [], [], []
    for path in sorted(folder.rglob("*.py")):
        if "site-packages" in path.parts:
            continue
        try:
            text = path.read_text("utf-8")
        except (UnicodeDecodeError, OSError):
            continue
        redactor, window = Redactor(), text[-WINDOW:]
        out = redactor.text(text)
        files += 1
        if len(window) == WINDOW:
            begun = time.perf_counter()
            Redactor().text(window)
            cold.append(time.perf_counter() - begun)
            redactor.text("")  # so that the next has nothing in common with the last
            begun = time.perf_counter()
            redactor.text(window)
            warm.append(time.perf_counter() - begun)
            more = window + "x"
            begun = time.perf_counter()
            redactor.text(more)
            typed.append(time.perf_counter() - begun)
        if out != text:
            found += 1
            line = next(a for a, b in zip(text.split("\n"), out.split("\n"), strict=True) if a != b)
            print(f"{path.relative_to(folder)}: {line.strip()[:80]}")
    print(f"{files} files, {found} with something replaced: 1 in {files / max(found, 1):.0f}")
    if not cold:
        print(f"no file of {WINDOW} characters: nothing to measure the cost with")
        return
    first, known, key = (f"{1000 * statistics.median(each):.3f} ms" for each in (cold, warm, typed))
    print(
        f"{WINDOW} characters (median of {len(cold)}): {first} at first, {known} once their lines are known,"
    )
    print(f"{key} where one key was typed behind them")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else sysconfig.get_paths()["stdlib"]))
