"""How long it takes to read and trim an answer of 4,096 characters: milliseconds of processor time, median and least.

usage: trimming.py [TURNS]
"""

from __future__ import annotations

import statistics
import sys
import time

from fim_lsp.text.extent import extent
from fim_lsp.text.postprocess import tidy

SIZE = 4_096


def body(line: str) -> str:
    """Some lines again and again, each time with another number."""
    return "".join(line.replace("#", str(number)) for number in range(SIZE // len(line) + 1))[:SIZE]


# Language, what stands before the cursor, the answer, what stands after it.
ANSWERS = {
    "python, a body": (
        "python",
        "class A:\n    def f(self, a):\n        ",
        body(
            'x# = compute(a, #, name="n#")\n        if x# > #:\n            self.items[#].append((x#, #))\n        '
        ),
        "\n\n    def g(self):\n        pass\n",
    ),
    "python, a dict": ("python", "def f():\n    a = ", "{\n" + body('        "key#": value(#),\n'), "\n"),
    "python, a docstring": (
        "python",
        'def f():\n    """Docs.\n\n    ',
        body("Some words (#) of a sentence,\n    others in the next.\n    "),
        '\n    """\n',
    ),
    "go, a body": (
        "go",
        "func f(a []int) {\n\t",
        body("x# := compute(a, #)\n\tif x# > # {\n\t\titems[#] = append(items[#], x#)\n\t}\n\t"),
        "\n}\n",
    ),
    "typescript, a method": (
        "typescript",
        "export class A {\n  ",
        "f() {\n"
        + body('    const x# = compute(a, #);\n    if (x# > #) {\n      items.push({ a: "#" });\n    }\n'),
        "\n}\n",
    ),
    "css, rules": ("css", "a { }\n", body(".c# {\n  color: red;\n  margin: #px;\n}\n"), ""),
    "markdown, a list": ("markdown", "# A\n\n", body("- item # of the list goes on with words\n"), ""),
}


def spent(name: str, turns: int) -> list[float]:
    """Milliseconds of processor time, for each turn."""
    language, prefix, answer, suffix = ANSWERS[name]
    form = extent(prefix, suffix, language, "auto", SIZE)
    taken = []
    for _ in range(turns):
        begun = time.thread_time()
        tidy(answer, prefix, suffix, language, form)
        taken.append(1000 * (time.thread_time() - begun))
    return taken


if __name__ == "__main__":
    for each in ANSWERS:
        found = spent(each, int(sys.argv[1]) if len(sys.argv) > 1 else 100)
        print(f"{each:22} median {statistics.median(found):.2f} ms, least {min(found):.2f} ms")
