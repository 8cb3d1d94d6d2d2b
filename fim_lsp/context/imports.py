"""Which files of a project a file's imports name, by paths alone: nothing is run and no file is read."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from posixpath import basename, dirname, join, splitext

from fim_lsp.context.project_files import ProjectFiles, beside, leaves, up

LOOKED_AT = 400  # lines in which imports are looked for
LONGEST_LINE = 1_000  # characters


def imported(lines: Sequence[str], language: str, path: str, files: ProjectFiles) -> list[str]:
    """The files of the project that a file's imports name: in order of mention, each once, never the file itself.

    `path` is the file's own, relative to the project's root as those in `files`; `language` an LSP languageId,
    one without rules imports nothing. The first 400 lines are looked at.
    """
    resolve = _RESOLVERS.get(language.lower())
    if resolve is None:
        return []
    head = [line[:LONGEST_LINE].rstrip("\r\n") for line in lines[:LOOKED_AT]]
    found = dict.fromkeys(resolve(head, path, files))
    found.pop(path, None)
    return list(found)


_PYTHON = re.compile(
    r"\s*+(?:from\s++(\.+(?:\s++(?!import\b))?[\w.]*+|[\w.]++)\s*+import\s++(.+)|import\s+([\w.]+(?:[^\S\n]|[\w.,])*))"
)


def _python(head: Sequence[str], path: str, files: ProjectFiles) -> Iterator[str]:
    for module, names in _python_statements(head):
        name = module.lstrip(".")
        level = len(module) - len(name)
        parts = [part for part in name.strip().split(".") if part]
        if level:
            base = dirname(path)
            for _ in range(level - 1):
                base = dirname(base)
            yield from _python_within(join(base, *parts), names, files)
        else:
            yield from _python_absolute(parts, names, path, files)


def _python_statements(head: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """The modules that are imported and, where they are, the names from each."""
    prose = False  # within a docstring, whose examples import too
    numbers = iter(range(len(head)))
    for number in numbers:
        quoted = (head[number].count('"""') + head[number].count("'''")) % 2 == 1
        prose = prose != quoted
        found = None if prose or quoted else _PYTHON.match(head[number])
        if found is None:
            continue
        if found[3]:
            for name in found[3].split(","):
                if words := name.split():
                    yield words[0], []
            continue
        names = found[2].split("#")[0]
        while ("(" in names and ")" not in names) or names.endswith("\\"):
            following = next(numbers, None)
            if following is None:
                break
            names = f"{names.rstrip(chr(92))} {head[following].split('#')[0].rstrip()}"
        words = [name.split()[0] for name in names.strip("() ").replace("(", "").split(",") if name.split()]
        yield found[1].replace(" ", ""), words


def _python_module(stem: str, files: ProjectFiles) -> str | None:
    return files.first((f"{stem}.py", f"{stem}/__init__.py", f"{stem}.pyi", f"{stem}/__init__.pyi"))


def _python_within(stem: str, names: Sequence[str], files: ProjectFiles) -> list[str]:
    """The files of a module and of those of its names that are modules themselves."""
    own = _python_module(stem, files)
    below = [_python_module(join(stem, name), files) for name in names]
    wanted = [own, *below] if not names or None in below else below
    return [path for path in wanted if path is not None]


def _python_absolute(parts: Sequence[str], names: Sequence[str], path: str, files: ProjectFiles) -> list[str]:
    """A module is looked for in folders that are not packages: those above the file, and any that holds it."""

    def root(folder: str) -> bool:
        return join(folder, "__init__.py") not in files

    roots = [join(folder, sub) for folder in up(dirname(path)) for sub in ("", "src", "lib", "python")]
    for folder in roots:
        if root(folder.rstrip("/")) and (found := _python_within(join(folder, *parts), names, files)):
            return found
    if parts and parts[0] not in sys.stdlib_module_names:
        for tail in (f"{'/'.join(parts)}.py", f"{'/'.join(parts)}/__init__.py"):
            found_at = files.ending(tail, path)
            if found_at is not None and root(found_at[: -len(tail)].rstrip("/")):
                return _python_within(found_at[: -len(tail)] + "/".join(parts), names, files)
        return _python_within(join(dirname(path), *parts), names, files)
    return []


_SCRIPT = re.compile(
    r"(?:\bfrom\s*+|\bimport\s*+\(?\s*+|\brequire(?:\.resolve)?\s*+\(\s*+)([\"'])([^\"'\n]+)\1"
)
_SCRIPT_ENDINGS = (".ts", ".tsx", ".d.ts", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".vue", ".svelte")
_TYPED = {".js": (".ts", ".tsx"), ".jsx": (".tsx",), ".mjs": (".mts",), ".cjs": (".cts",)}
_ALIAS = re.compile(r"(?:@|~|#|\$lib)/(?=.)")


def _script(head: Sequence[str], path: str, files: ProjectFiles) -> Iterator[str]:
    for line in head:
        if line.lstrip().startswith(("//", "*")):
            continue
        for found in _SCRIPT.finditer(line):
            target = _script_target(found[2].split("?")[0], path, files)
            if target is not None:
                yield target


def _script_target(name: str, path: str, files: ProjectFiles) -> str | None:
    if name.startswith("."):
        return files.first(_script_files(beside(path, name)))
    if found := files.module(name):
        folder, rest = found
        inner = [rest] if rest else ["index", "main", "mod"]
        stems = [join(folder, sub, stem) for sub in ("src", "", "lib") for stem in inner]
        return files.first(file for stem in stems for file in _script_files(stem))
    alias = _ALIAS.match(name)
    tail = name[alias.end() :] if alias else name
    if not alias and "/" not in tail:
        return None
    subs = ("src", "", "app", "lib", "src/lib") if alias else ("", "src")
    stems = [join(folder, sub, tail) for folder in up(dirname(path)) for sub in subs]
    found_at = files.first(file for stem in stems for file in _script_files(stem))
    if found_at is None and alias:
        ends = (files.ending(file, path) for file in _script_files(tail))
        return next((file for file in ends if file is not None), None)
    return found_at


def _script_files(stem: str) -> Iterator[str]:
    """What a name may mean: a file that is typed for one that runs, the file itself, one without its ending, a folder."""
    base, ending = splitext(stem)
    yield from (base + typed for typed in _TYPED.get(ending, ()))
    yield stem
    yield from (stem + ending for ending in _SCRIPT_ENDINGS)
    yield from (f"{stem}/index{ending}" for ending in _SCRIPT_ENDINGS)


_GO = re.compile(r"\s*(?:import\s+)?(?:[\w.]+\s+)?([\"`])([^\"`]+)\1")


def _go(head: Sequence[str], _path: str, files: ProjectFiles) -> Iterator[str]:
    block = False
    for line in head:
        if re.match(r"import\s*\(", line):
            block = True
        elif block and line.startswith(")"):
            block = False
        elif re.match(r"(?:func|type|var|const)\b", line):
            return
        elif (block or line.startswith("import")) and (found := _GO.match(line)):
            module = files.module(found[2])
            if module is not None:
                folder = files.within(join(*module).rstrip("/"), ".go")
                yield from (file for file in folder if not file.endswith("_test.go"))


_RUST = re.compile(
    r"^[ \t]*+(?:pub(?:\([^()\n]*\))?\s++)?(?:mod\s++(?:r#)?(\w+)\s*+;|use\s++([^;]{1,4000}+);|extern\s+crate\s+(\w+))",
    re.MULTILINE,
)
_RUST_ROOTS = ("lib.rs", "main.rs")


def _rust(head: Sequence[str], path: str, files: ProjectFiles) -> Iterator[str]:
    folder, name = dirname(path), basename(path)
    heads = name in {"mod.rs", *_RUST_ROOTS}
    own = folder if heads else join(folder, name.removesuffix(".rs"))
    for found in _RUST.finditer("\n".join(line.split("//")[0] for line in head)):
        if found[1]:
            # A file of tests or of examples is a crate of its own: its modules stand beside it.
            modules = (_rust_module(join(base, found[1]), files) for base in (own, folder))
            yield from [module for module in modules if module is not None][:1]
            continue
        for leaf in leaves(found[2] or found[3]):
            parts = [part for part in re.split(r"\s*::\s*", leaf) if part and part != "*"]
            target = _rust_target(parts, own, path, files)
            if target is not None:
                yield target


def _rust_target(parts: Sequence[str], own: str, path: str, files: ProjectFiles) -> str | None:
    if not parts:
        return None
    first, rest = parts[0].removeprefix("r#"), list(parts[1:])
    if first == "crate":
        roots = (folder for folder in up(dirname(path)) if files.first(join(folder, r) for r in _RUST_ROOTS))
        base = next(roots, None)
        return _rust_deepest(base, rest, files) if base is not None else None
    if first in {"self", "super"}:
        base = own if first == "self" else dirname(own)
        while rest and rest[0] == "super":
            base, rest = dirname(base), rest[1:]
        return _rust_deepest(base, rest, files)
    if module := (files.module(first) or files.module(first.replace("_", "-"))):
        return _rust_deepest(join(module[0], "src"), rest, files)
    return _rust_deepest(own, list(parts), files) if _rust_module(join(own, first), files) else None


def _rust_deepest(base: str, parts: Sequence[str], files: ProjectFiles) -> str | None:
    """The file of the innermost module that a path goes through, that of `base` if it names none."""
    found = None
    at = base
    for part in parts:
        at = join(at, part)
        inner = _rust_module(at, files)
        if inner is None:
            break
        found = inner
    return found or files.first(join(base, root) for root in _RUST_ROOTS) or _rust_module(base, files)


def _rust_module(stem: str, files: ProjectFiles) -> str | None:
    return files.first((f"{stem}.rs", f"{stem}/mod.rs"))


_JVM = re.compile(r"\s*import\s+(static\s+)?(\w++(?:\.\w++)*+(?:\.\{[^}]*\}|\.\*)?)")
_JVM_ENDINGS = (".java", ".kt", ".scala", ".groovy")


def _jvm(head: Sequence[str], path: str, files: ProjectFiles) -> Iterator[str]:
    for line in head:
        found = _JVM.match(line)
        for name in leaves(found[2]) if found else []:
            parts = name.split(".")
            if parts[-1] in {"*", "_"}:
                folder = files.folder("/".join(parts[:-1]), path) if len(parts) > 2 else None
                if folder is not None:
                    yield from files.within(folder, *_JVM_ENDINGS)
                    continue
            target = _jvm_class([part for part in parts if part not in {"*", "_"}], path, files)
            if target is not None:
                yield target


def _jvm_class(parts: Sequence[str], path: str, files: ProjectFiles) -> str | None:
    """The file of a class; of one within a class, or a static member, that of the outer one."""
    for length in range(len(parts), 1, -1):
        tail = "/".join(parts[:length])
        for ending in _JVM_ENDINGS:
            if found := files.ending(tail + ending, path):
                return found
    # Kotlin's folders may leave out what all packages begin with.
    names = [part for part in parts[1:] if part[:1].isupper()][:1]
    return next(
        (found for name in names for end in _JVM_ENDINGS[1:] if (found := files.only(name + end))), None
    )


_INCLUDE = re.compile(r"\s*#\s*(?:include|import)\s*(?:\"([^\"]+)\"|<([^>]+)>)")


def _by_line(
    head: Sequence[str], pattern: re.Pattern[str], target: Callable[[re.Match[str]], str | None]
) -> Iterator[str]:
    """What the lines that begin as the pattern says import, one file each."""
    for line in head:
        found = pattern.match(line)
        if found is not None and (path := target(found)) is not None:
            yield path


def _c(head: Sequence[str], path: str, files: ProjectFiles) -> Iterator[str]:
    def target(found: re.Match[str]) -> str | None:
        name = found[1] or found[2]
        places = [
            join(folder, sub, name) for folder in up(dirname(path)) for sub in ("include", "", "inc", "src")
        ]
        if found[1]:
            places.insert(0, beside(path, name))
        elif "/" not in name:
            places = [place for place in places if "include/" in place]
        first = files.first(places)
        if first is None and (found[1] or "/" in name) and not name.startswith("."):
            return files.ending(name, path)
        return first

    return _by_line(head, _INCLUDE, target)


_CSHARP = re.compile(r"\s*(?:global\s+)?using\s+(static\s+)?(?:\w+\s*=\s*)?([\w.]+)\s*;")


def _csharp(head: Sequence[str], path: str, files: ProjectFiles) -> Iterator[str]:
    for line in head:
        found = _CSHARP.match(line)
        if found is None:
            continue
        tail = found[2].replace(".", "/")
        if found[1]:
            outer = files.folder(dirname(tail), path)
            yield from files.within(outer, f"/{basename(tail)}.cs") if outer is not None else ()
            continue
        folder = files.folder(tail, path)
        while folder is None and "/" in tail:
            # A project's folder may leave out what its namespaces begin with.
            tail = tail.partition("/")[2]
            below = files.folder(tail, path)
            folder = below if below in {tail, f"src/{tail}"} else None
        if folder is not None:
            yield from files.within(folder, ".cs")


_RUBY = re.compile(
    r"\s*(require_relative|require|load|autoload\s*+\(?\s*+:\w+\s*+,)\s*+\(?\s*+[\"']([^\"']+)[\"']"
)


def _ruby(head: Sequence[str], path: str, files: ProjectFiles) -> Iterator[str]:
    def target(found: re.Match[str]) -> str | None:
        name = found[2].removesuffix(".rb") + ".rb"
        if found[1] == "require_relative" or name.startswith("."):
            return files.first([beside(path, name)])
        places = (join(folder, sub, name) for folder in up(dirname(path)) for sub in ("lib", "", "app"))
        return files.first(places) or files.ending(f"lib/{name}", path)

    return _by_line(head, _RUBY, target)


_PHP = re.compile(
    r"^[ \t]*+(?:use\s++(?:function\s+|const\s+)?\\?([\w\\]++(?:\{[^}]{0,4000}+\})?)"
    r"|(?:require|include)(?:_once)?\b[^'\"\n;]*['\"]([^'\"\n]+)['\"])",
    re.MULTILINE,
)


def _php(head: Sequence[str], path: str, files: ProjectFiles) -> Iterator[str]:
    for found in _PHP.finditer("\n".join(head)):
        if found[1]:
            targets = [_php_class(name.strip("\\").split("\\"), path, files) for name in leaves(found[1])]
        else:
            targets = [files.first([beside(path, found[2].lstrip("/"))])]
        yield from (target for target in targets if target is not None)


def _php_class(parts: Sequence[str], path: str, files: ProjectFiles) -> str | None:
    """The file of a class, by as many of its last names as some path ends in (PSR-4)."""
    for skipped in range(len(parts) - 1):
        if found := files.ending("/".join(parts[skipped:]) + ".php", path):
            return found
    return files.only(f"{parts[-1]}.php") if len(parts) > 1 else None


_LUA = re.compile(r"\brequire\s*+\(?\s*+[\"']([\w./-]+)[\"']")


def _lua(head: Sequence[str], path: str, files: ProjectFiles) -> Iterator[str]:
    for line in head:
        for found in _LUA.finditer(line.split("--")[0]):
            stem = found[1].replace(".", "/")
            places = [join(folder, sub, stem) for folder in up(dirname(path)) for sub in ("", "lua", "src")]
            target = files.first(file for place in places for file in (f"{place}.lua", f"{place}/init.lua"))
            if target is not None:
                yield target


_DART = re.compile(r"\s*(?:import|export|part)\s+['\"](?:package:\w+/)?([^'\":]+)['\"]")


def _dart(head: Sequence[str], path: str, files: ProjectFiles) -> Iterator[str]:
    def target(found: re.Match[str]) -> str | None:
        packaged = "package:" in found.string
        return files.ending(f"lib/{found[1]}", path) if packaged else files.first([beside(path, found[1])])

    return _by_line(head, _DART, target)


_RESOLVERS: dict[str, Callable[[Sequence[str], str, ProjectFiles], Iterator[str]]] = {
    "python": _python,
    **dict.fromkeys(
        ("typescript", "typescriptreact", "javascript", "javascriptreact", "vue", "svelte", "astro"), _script
    ),
    "go": _go,
    "rust": _rust,
    **dict.fromkeys(("java", "kotlin", "scala", "groovy"), _jvm),
    **dict.fromkeys(("c", "cpp", "objective-c", "objective-cpp", "cuda-cpp"), _c),
    "csharp": _csharp,
    "ruby": _ruby,
    "php": _php,
    "lua": _lua,
    "dart": _dart,
}
