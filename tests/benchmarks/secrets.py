"""Measures how often code is taken for a secret, and what looking for them costs.

Run it as `python tests/benchmarks/secrets.py [FOLDER]`; the folder is Python's standard library if none is given.  Every
file in which something was replaced is printed with the first such line, shortened, so that one can judge it.
"""

import sys
import sysconfig
import time
from pathlib import Path

from fim_lsp.secrets import Redactor


def main(folder):
    files = found = characters = 0
    cold = warm = 0.0
    for path in sorted(folder.rglob("*.py")):
        if "site-packages" in path.parts:
            continue
        try:
            text = path.read_text("utf-8")
        except (UnicodeDecodeError, OSError):
            continue
        redactor = Redactor()
        begun = time.perf_counter()
        out = redactor.text(text)
        between = time.perf_counter()
        redactor.text(text)
        cold, warm = cold + between - begun, warm + time.perf_counter() - between
        files, characters = files + 1, characters + len(text)
        if out != text:
            found += 1
            line = next(a for a, b in zip(text.split("\n"), out.split("\n"), strict=True) if a != b)
            print(f"{path.relative_to(folder)}: {line.strip()[:80]}")
    each = 48_000 / max(characters, 1) * 1000
    print(f"{files} files, {found} with something replaced: 1 in {files / max(found, 1):.0f}")
    print(
        f"48,000 characters: {each * cold:.2f} ms at first, {each * warm:.2f} ms once their lines are known"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else sysconfig.get_paths()["stdlib"]))
