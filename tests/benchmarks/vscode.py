"""Loads a window of a real VS Code again and again, and tells how long the extension takes to start the server, and that to greet.

Run it as `python tests/benchmarks/vscode.py [WINDOWS]`, with NODE24, CODE_SERVER, PLAYWRIGHT and CHROMIUM naming the editor.
The figures are those that the extension writes into its log; milliseconds from the call of `activate()`.
"""

import argparse
import re
import statistics
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "editors")]

from real import Scripted, wait

LINE = re.compile(r"From activation: (\d+) ms to the server's start, (\d+) to its greeting")


def logs(code):
    """What the extension has written, window by window."""
    return [
        path.read_text("utf-8")
        for path in sorted(code.home.glob("data/logs/*/exthost*/*/fim-lsp.log"), key=_number)
    ]


def _number(path):
    return int(path.parents[1].name.removeprefix("exthost"))


def main():
    """Measure, and print the middle and the worst."""
    sys.path.remove(str(Path(__file__).parent))  # where this very file would be taken for the driver
    from vscode import Code

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("windows", nargs="?", type=int, default=10, help="how many windows to load (10)")
    windows = parser.parse_args().windows
    with tempfile.TemporaryDirectory() as folder, Scripted() as scripted:
        scripted.reset()
        home = Path(folder)
        code = Code(home / "home", scripted.url, home, variables={"DEEPSEEK_API_KEY": "sk-test"})
        try:
            for n in range(windows + 1):
                code.load(f"file{n}.py", "x = 1\n")
                wait(lambda count=n + 1: len(LINE.findall("".join(logs(code)))) == count, 60)
            figures = [[int(one) for one in LINE.search(text).groups()] for text in logs(code)]
        finally:
            code.close()
    # The first window is an extension just installed: the server is compiled then, and never again.
    print("just installed: server started {} ms, greeted {} ms".format(*figures[0]))
    for name, all_of in zip(("server started", "greeted"), zip(*figures[1:], strict=True), strict=True):
        print(f"{name}: median {statistics.median(all_of):.0f} ms, worst {max(all_of)} ms of {windows}")


if __name__ == "__main__":
    main()
