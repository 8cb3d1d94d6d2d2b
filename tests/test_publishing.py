"""What is published agrees with itself: one version, one address, and entries for others' registries that can be read."""

import json
import re
import tomllib
from pathlib import Path

import fim_lsp

ROOT = Path(__file__).parents[1]
ADDRESS = "https://github.com/fim-lsp/fim-lsp"
REGISTRIES = ROOT / ".github" / "registries"


def read(*parts):
    """The text of a file of the repository."""
    return ROOT.joinpath(*parts).read_text("utf-8")


def test_one_version_everywhere():
    """The package, the extension, Emacs' and Zed's headers and the registries' entries name the same version."""
    versions = {
        "package": fim_lsp.__version__,
        "VS Code": json.loads(read("editors", "vscode", "package.json"))["version"],
        "VS Code's lock": json.loads(read("editors", "vscode", "package-lock.json"))["version"],
        "Emacs": re.search(r"^;; Version: (\S+)$", read("editors", "emacs", "fim-lsp.el"), re.MULTILINE)[1],
        "Zed": tomllib.loads(read("editors", "zed", "extension.toml"))["version"],
        "Zed's crate": tomllib.loads(read("editors", "zed", "Cargo.toml"))["package"]["version"],
        "Zed's registry": tomllib.loads(read(".github", "registries", "zed", "extensions.toml"))["fim-lsp"][
            "version"
        ],
        "mason": re.search(
            r"pkg:pypi/fim-lsp@(\S+)",
            read(".github", "registries", "mason-registry", "packages", "fim-lsp", "package.yaml"),
        )[1],
    }
    assert set(versions.values()) == {fim_lsp.__version__}, versions


def test_the_changelog_has_the_version_and_its_day():
    """The newest version of the changelog is the package's, dated."""
    head = re.search(r"^## (\S+), (\d{4}-\d\d-\d\d)$", read("CHANGELOG.md"), re.MULTILINE)
    assert head
    assert head[1] == fim_lsp.__version__


def test_one_address_that_the_release_fills():
    """Every address of the repository in what is published is the one that the release replaces."""
    folders = [ROOT / "editors", REGISTRIES]
    files = [
        ROOT / "pyproject.toml",
        *(
            path
            for folder in folders
            for path in folder.rglob("*")
            if path.suffix in {".el", ".toml", ".yaml", ".lua", ".json"}
            and not {"node_modules", "libs"} & set(path.parts)
            and path.name != "package-lock.json"
        ),
    ]
    found = {
        match[0]
        for path in files
        for match in re.finditer(
            r"https://github\.com/[\w.-]*fim-lsp[\w.-]*/[\w.-]+", path.read_text("utf-8")
        )
    }
    assert found == {ADDRESS}
    assert f'"{ADDRESS}"' in read(".github", "workflows", "release.yml")


def test_the_public_ci_runs_three_systems_and_four_pythons():
    """What the classifiers promise is what runs for contributors."""
    classifiers = tomllib.loads(read("pyproject.toml"))["project"]["classifiers"]
    promised = [row.rpartition(" ")[2] for row in classifiers if re.search(r":: 3\.\d+$", row)]
    workflow = read(".github", "workflows", "ci.yml")
    assert re.findall(r'"(3\.\d+)"', re.search(r"python: \[(.*)\]", workflow)[1]) == promised
    assert re.search(r"os: \[(.*)\]", workflow)[1].split(", ") == [
        "ubuntu-latest",
        "macos-latest",
        "windows-latest",
    ]


def test_registries_entries_are_what_their_readers_take():
    """TOML and the recipe's one list parse; the folder's README names each entry."""
    readme = (REGISTRIES / "README.md").read_text("utf-8")
    for path in REGISTRIES.rglob("*"):
        if path.is_file() and path.name != "README.md":
            assert f"`{path.relative_to(REGISTRIES).as_posix()}`" in readme
    assert tomllib.loads((REGISTRIES / "helix" / "languages.toml").read_text("utf-8")) == {
        "language-server": {"fim-lsp": {"command": "fim-lsp"}}
    }
    recipe = (REGISTRIES / "melpa" / "recipes" / "fim-lsp").read_text("utf-8")
    assert recipe.startswith("(fim-lsp ")
    assert recipe.count("(") == recipe.count(")")
