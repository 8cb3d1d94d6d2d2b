"""What the packaged extension holds: what both marketplaces ask for, the licences of all in it, and nothing of who built it."""

import json
import re
import sys
import zipfile
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from vscode import EXTENSION, packaged


@pytest.fixture(scope="module")
def held():
    """The package's files by name."""
    with zipfile.ZipFile(packaged()) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def test_the_package_holds_what_a_marketplace_shows(held):
    """Publisher, addresses, an icon of a fitting size, texts in their places, and images of the README by whole addresses."""
    manifest = json.loads(held["extension/package.json"])
    assert "private" not in manifest
    assert not re.search("--(allow|skip|no-rewrite)", manifest["scripts"]["package"])
    address = manifest["repository"]["url"]
    assert {manifest["homepage"], manifest["bugs"], manifest["qna"]} == {address, f"{address}/issues"}
    assert manifest["publisher"]
    assert "AI" in manifest["categories"]
    icon = held[f"extension/{manifest['icon']}"]
    assert (icon[:8], int.from_bytes(icon[16:20]) >= 128) == (b"\x89PNG\r\n\x1a\n", True)
    texts = json.loads(held["extension/package.nls.json"])
    assert set(re.findall(r"%([\w.]+)%", held["extension/package.json"].decode())) == set(texts)
    for text in ("package.nls.zh-cn.json", "l10n/bundle.l10n.zh-cn.json", "media/key.nls.zh-cn.md"):
        assert held[f"extension/{text}"] == (EXTENSION / text).read_bytes()
    assert "extension/bundled/libs/fim_lsp/words/sentences.toml" in held
    readme = held["extension/readme.md"].decode()
    images = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", readme)
    assert images
    for image in images:
        assert image.startswith(f"{address}/raw/HEAD/editors/vscode/"), image
        assert (EXTENSION / image.partition("/editors/vscode/")[2]).is_file()


def test_the_package_holds_the_licence_of_all_that_is_in_it(held):
    """Ours, one for each JavaScript package, and one beside each Python package."""
    assert b"MIT" in held["extension/LICENSE.txt"]
    notices = held["extension/NOTICES.txt"].decode()
    for name in (
        "vscode-languageclient",
        "vscode-jsonrpc",
        "vscode-languageserver-protocol",
        "semver",
        "minimatch",
    ):
        assert re.search(rf"^{name} \d.* \([\w.-]+\)$", notices, re.MULTILINE), name
    assert notices.count("opyright") >= notices.count("-" * 80)
    libs = {name.split("/")[3] for name in held if name.startswith("extension/bundled/libs/")}
    packages = {name for name in libs if name.endswith(".dist-info")}
    licensed = {
        name.split("/")[3]
        for name in held
        if re.search(r"\.dist-info/(licenses/.*)?\w*(LICENSE|LICENCE|COPYING)", name)
    }
    assert packages
    assert packages == licensed


def test_the_package_holds_the_server_for_every_system():
    """What is bundled is what the server needs on Linux, macOS and Windows, by every Python that it runs on."""
    listed = re.search(r"SERVER = \[(.*?)\];", (EXTENSION / "build.mjs").read_text("utf-8"), re.DOTALL)
    assert listed
    assert set(re.findall(r'"([\w-]+)"', listed[1])) == needed("fim-lsp")


def needed(name):
    """The names of what a package needs somewhere, and of what these need."""
    systems = [("linux", "posix"), ("darwin", "posix"), ("win32", "nt")]
    somewhere = [
        {
            "sys_platform": system,
            "os_name": os,
            "python_version": f"3.{minor}",
            "python_full_version": f"3.{minor}.0",
            "extra": "",
        }
        for system, os in systems
        for minor in range(11, 15)
    ]
    found, left = set(), [name]
    while left:
        for line in requires(left.pop()) or []:
            one = Requirement(line)
            spelled = one.name.lower().replace("_", "-")
            if spelled not in found and (one.marker is None or any(map(one.marker.evaluate, somewhere))):
                found.add(spelled)
                left.append(spelled)
    return found


def test_the_package_tells_nothing_of_who_built_it(held):
    """No path of this machine is in it, nor what an installer notes."""
    here = {str(Path(__file__).parents[2]).encode(), str(Path.home()).encode() + b"/", sys.prefix.encode()}
    assert [name for name, data in held.items() if any(path in data for path in here)] == []
    noted = re.compile(r"/(direct_url\.json|RECORD|INSTALLER|REQUESTED|sboms/.*|.*\.pyc)$")
    assert [name for name in held if noted.search(name)] == []
    others = {name: data for name, data in held.items() if "/libs/fim_lsp/" not in name}
    assert len(others) < 340
    assert sum(map(len, others.values())) < 4_500_000
