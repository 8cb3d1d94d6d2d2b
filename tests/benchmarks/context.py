"""What prompts show of other files, on several repositories: the mean of `fim-lsp replay --context --json` over them.

python tests/benchmarks/context.py --asks 3000 REPOSITORY=LANGUAGE ...
"""

import argparse
import json
import subprocess
import sys


def replayed(named, asks, seed):
    """The rows of one repository."""
    repository, _, language = named.partition("=")
    command = [sys.executable, "-m", "fim_lsp", "replay", repository, "--context", "--json"]
    more = ["--asks", str(asks), "--commits", "90", "--seed", str(seed), "--language", language]
    return json.loads(subprocess.run([*command, *more], stdout=subprocess.PIPE, check=True).stdout)


def main():
    """Print one row a way, each repository counting the same."""
    parser = argparse.ArgumentParser()
    parser.add_argument("repositories", nargs="+", metavar="REPOSITORY=LANGUAGE")
    parser.add_argument("--asks", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    found = [replayed(named, args.asks, args.seed) for named in args.repositories]
    names = [name for name in found[0][0] if name != "context"]
    print(f"{'context':18}" + "".join(f"{name:>19}" for name in [*names, "lowestExternal"]))
    for same in zip(*found, strict=True):
        cells = []
        for name in names:
            values = [row[name] for row in same if row[name] is not None]
            cells.append(sum(values) / len(values) if values else float("nan"))
        cells.append(min(row["external"] or 0 for row in same))
        print(f"{same[0]['context']:18}" + "".join(f"{cell:19.3f}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
