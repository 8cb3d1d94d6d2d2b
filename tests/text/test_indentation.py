"""What a file is indented with: by its own lines, then by the project's files."""

import pytest

from fim_lsp.text.editorconfig import folders, indent
from fim_lsp.text.extent import extent
from fim_lsp.text.indentation import Indent
from fim_lsp.text.postprocess import tidy

TABS, TWO, FOUR = Indent(tab=True, size=4), Indent(tab=False, size=2), Indent(tab=False, size=4)
STYLES = [
    ("[*]\nindent_style = tab\n", "a.py", TABS),
    ("[*]\nindent_style = space\nindent_size = 2\n", "deep/er/a.py", TWO),
    ("[*.py]\nindent_size = 4\n[*.js]\nindent_size = 2\n", "src/a.js", TWO),
    ("[*]\nindent_size = 4\n[*.{ts,js}]\nindent_size = 2\n", "a.js", TWO),
    ("[*]\nindent_size = 4\n[*.{ts,js}]\nindent_size = 2\n", "a.py", FOUR),
    ("[{package.json,*.yml}]\nindent_size = 2\n", "x/package.json", TWO),
    ("[/src/*.py]\nindent_size = 2\n", "src/a.py", TWO),
    ("[/src/*.py]\nindent_size = 2\n", "src/b/a.py", None),
    ("[src/**.py]\nindent_size = 2\n", "src/b/a.py", TWO),
    ("[src/**/a.py]\nindent_size = 2\n", "src/a.py", TWO),
    ("[[!ab].py]\nindent_size = 2\n", "c.py", TWO),
    ("[[!ab].py]\nindent_size = 2\n", "a.py", None),
    ("[?[a-c].py]\nindent_size = 2\n", "xb.py", TWO),
    ("[a{1..3}.py]\nindent_size = 2\n", "a2.py", TWO),
    ("[{single}.py]\nindent_size = 2\n", "{single}.py", TWO),
    ("[Makefile]\nindent_style=TAB\n", "lib/Makefile", TABS),
    ("; note\n# note\n[*]\nINDENT_SIZE = tab\ntab_width = 2\n", "a.py", TWO),
    ("[*]\nindent_style = space\n", "a.py", FOUR),
    ("[*]\nindent_size = 400\n", "a.py", None),
    ("[*]\nindent_size = -2\nindent_style = unset\n", "a.py", None),
    ("indent_size = 2\n", "a.py", None),
    ("[*\nindent_size = 2\n", "a.py", None),
    ("[*]\nindent_size\n=\n", "a.py", None),
    ("", "a.py", None),
]


@pytest.mark.parametrize(("text", "path", "wanted"), STYLES)
def test_a_section_names_files(text, path, wanted):
    """Stars, sets, braces and numbers; later sections win; what makes no sense says nothing."""
    assert indent([("/home/p", text)], f"/home/p/{path}") == wanted


def test_nearer_files_win_and_a_root_ends_the_search():
    """Each name by itself."""
    top = ("/p", "[*]\nindent_style = tab\nindent_size = 8\n")
    assert indent([("/p/a", "[*]\nindent_style = space\n"), top], "/p/a/b.py") == Indent(tab=False, size=8)
    assert indent([("/p/a", "root = true\n[*.c]\nindent_size = 2\n"), top], "/p/a/b.py") is None


@pytest.mark.parametrize(
    "pattern", ["*a" * 120, "*a" * 16, "**/" * 80, "{a,b}" * 40, "{" * 200, "[" * 200, "\\" * 201]
)
def test_a_hostile_pattern_takes_no_time(pattern):
    """Nothing is tried again: a path of any length is read once for each piece, or not at all."""
    assert indent([("/p", f"[{pattern}]\nindent_size = 2\n")], "/p/" + "a" * 2_000) in {None, TWO}


def test_only_folders_of_the_workspace_are_read():
    """From the file's own up to the workspace's; none for a file outside."""
    assert folders("/w/p/a/b.py", "/w/p") == ["/w/p/a", "/w/p"]
    assert folders("/w/p/b.py", "/w/p/") == ["/w/p"]
    assert folders("/w/other/b.py", "/w/p") == []


TOLD = [
    ("python", "def f():‸", "\n    return 1", TABS, "\n\treturn 1"),
    ("python", "def f():‸", "\n    if a:\n        return 1", TWO, "\n  if a:\n    return 1"),
    ("typescript", "function f() {‸\n}\n", "\n\treturn 1;", TWO, "\n  return 1;"),
    # The file's own lines come first.
    ("python", "def g():\n  a()\n\ndef f():‸", "\n    return 1", FOUR, "\n  return 1"),
    ("python", "def g():\n\ta()\n\ndef f():‸", "\n    return 1", FOUR, "\n\treturn 1"),
    ("go", "func f() {‸\n}\n", "\n    g()", FOUR, "\n\tg()"),
    ("python", "def f():‸", "\n    return 1", None, "\n    return 1"),
]


@pytest.mark.parametrize(("language", "document", "said", "told", "wanted"), TOLD)
def test_what_the_project_says_counts_where_the_file_shows_nothing(language, document, said, told, wanted):
    """A file's own lines know best."""
    before, after = document.split("‸")
    form = extent(before, after, language, "auto", 256)
    assert tidy(said, before, after, language, form, indent=told).shown.text == wanted


async def test_the_server_reads_it_in_the_workspace_and_hears_of_changes(start, endpoint, tmp_path):
    """From the file's folder up to the workspace's, and not above."""
    (tmp_path / ".editorconfig").write_text("[*]\nindent_style = tab\n")
    project = tmp_path / "p"
    (project / "src").mkdir(parents=True)
    style = project / ".editorconfig"
    style.write_text("[*.py]\nindent_size = 2\n")
    endpoint.says = "\n    return 1\n"
    client = await start()
    folder = {"uri": project.as_uri(), "name": "p"}
    client.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [folder], "removed": []}})
    uri = (project / "src" / "a.py").as_uri()
    client.open(uri, "def f():")

    async def offered():
        await client.call("workspace/executeCommand", {"command": "fimLsp.clearCache"})
        return await client.texts(uri, 0, 8)

    def changed(how):
        client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": style.as_uri(), "type": how}]})

    assert await offered() == ["\n  return 1"]
    style.write_text("[*.py]\nindent_style = tab\n")
    changed(2)
    assert await offered() == ["\n\treturn 1"]
    style.unlink()
    changed(3)
    assert await offered() == ["\n    return 1"]
