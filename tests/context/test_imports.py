"""What a file imports from its own project, told by paths alone."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fim_lsp.context.imports import imported
from fim_lsp.context.project_files import ProjectFiles, module_of

PYTHON = """
    src/shop/__init__.py src/shop/basket.py src/shop/json.py src/shop/models/__init__.py src/shop/models/item.py
    src/shop/models/state.pyi tests/conftest.py tests/helpers.py tests/test_basket.py tools/release.py setup.py
    docs/other/thing/deep.py
"""
SCRIPTS = """
    package.json src/index.ts src/basket.ts src/item.tsx src/legacy.js src/models/index.ts src/models/state.d.ts
    src/components/Button.vue src/lib/money.ts packages/core/package.json packages/core/src/index.ts
    packages/core/src/parse.ts packages/ui/index.js test/basket.test.ts old/run.js
"""
GO = """
    go.mod basket.go basket_test.go doc.go models/item.go models/state.go models/item_test.go models/README.md
    internal/money/money.go tools/go.mod tools/gen/gen.go
"""
RUST = """
    Cargo.toml src/lib.rs src/main.rs src/basket.rs src/models/mod.rs src/models/item.rs src/models/deep/inner.rs
    src/models/deep.rs tests/checkout.rs tests/common/mod.rs crates/money-kit/src/lib.rs crates/money-kit/src/rate.rs
"""
JAVA = """
    app/src/main/java/com/shop/Basket.java app/src/main/java/com/shop/models/Item.java
    app/src/main/java/com/shop/models/State.java app/src/test/java/com/shop/BasketTest.java
    app/src/main/kotlin/Money.kt app/src/main/kotlin/com/shop/Rates.kt lib/src/main/java/com/other/models/Item.java
"""
C = """
    src/basket.c src/basket.h src/models/item.h src/models/item.c include/shop/money.h vendor/lib/include/lib.h
    test/basket_test.cc
"""
CSHARP = """
    src/Shop.Core/Basket.cs src/Shop.Core/Models/Item.cs src/Shop.Core/Models/State.cs Services/Mail.cs
    src/Shop.Web/Program.cs
"""
RUBY = """
    lib/shop.rb lib/shop/basket.rb lib/shop/models/item.rb test/test_helper.rb test/basket_test.rb bin/run.rb
"""
PHP = """
    composer.json src/Basket.php src/Models/Item.php src/Models/State.php src/helpers.php app/Http/Kernel.php
    public/index.php
"""

CASES = [
    ("python", PYTHON, "src/shop/basket.py", "from .models import item, State\n",
     "src/shop/models/__init__.py src/shop/models/item.py"),
    ("python", PYTHON, "src/shop/models/item.py", "from ..basket import Basket\nfrom . import state\n",
     "src/shop/basket.py src/shop/models/state.pyi"),
    ("python", PYTHON, "src/shop/basket.py", "from .models import (  # why\n    item,\n    state as st,\n)\n",
     "src/shop/models/item.py src/shop/models/state.pyi"),
    ("python", PYTHON, "tests/test_basket.py",
     "import os, shop.basket as b\nfrom shop.models.item import Item\nfrom helpers import \\\n    go\nimport pytest\n",
     "src/shop/basket.py src/shop/models/item.py tests/helpers.py"),
    ("python", PYTHON, "src/shop/basket.py", "import json\nimport shop.json\nfrom shop import basket, models\n",
     "src/shop/json.py src/shop/models/__init__.py"),
    ("python", PYTHON, "setup.py", "    from shop import *\nfrom tools.release import main\nimport other.thing.deep\n",
     "src/shop/__init__.py tools/release.py docs/other/thing/deep.py"),
    ("python", PYTHON, "setup.py", '"""\nimport shop\n"""\n# from shop import basket\nx = """import shop"""\nfromage import shop\n', ""),
    ("typescript", SCRIPTS, "src/index.ts",
     "import {\n  Basket,\n} from './basket';\nimport type { Item } from \"./item.js\"\nexport * from './models';\n",
     "src/basket.ts src/item.tsx src/models/index.ts"),
    ("typescript", SCRIPTS, "src/models/index.ts", "import '../legacy'\nimport { S } from './state'\nimport fs from 'fs'\n",
     "src/legacy.js src/models/state.d.ts"),
    ("typescriptreact", SCRIPTS, "src/item.tsx",
     "import B from '@/components/Button.vue'\nimport { m } from '~/lib/money'\nconst x = await import('#/models')\n",
     "src/components/Button.vue src/lib/money.ts src/models/index.ts"),
    ("typescript", SCRIPTS, "test/basket.test.ts",
     "import { a } from '@shop/core'\nimport { b } from '@shop/core/parse'\nimport c from '@shop/ui'\nimport d from '@x/y'\n",
     "packages/core/src/index.ts packages/core/src/parse.ts packages/ui/index.js"),
    ("javascript", SCRIPTS, "old/run.js",
     "const a = require('../src/legacy.js'), b = require('./run');\n// require('../src/basket')\nrequire('../../x')\n",
     "src/legacy.js"),
    ("vue", SCRIPTS, "src/components/Button.vue", "<script>\nimport { x } from '../basket?raw'\n</script>\n",
     "src/basket.ts"),
    ("go", GO, "basket.go",
     'package shop\n\nimport (\n\t"fmt"\n\t. "example.com/shop/models"\n\tm "example.com/shop/internal/money"\n)\n',
     "models/item.go models/state.go internal/money/money.go"),
    ("go", GO, "models/item.go", 'package models\nimport "example.com/shop"\nvar x = "example.com/shop/models"\n',
     "basket.go doc.go"),
    ("go", GO, "basket.go", 'import "example.com/shop/tools/gen"\nimport "example.com/shopping/models"\n', "tools/gen/gen.go"),
    ("rust", RUST, "src/lib.rs", "mod basket;\npub(crate) mod models;\nmod inline {}\nuse std::fmt;\n",
     "src/basket.rs src/models/mod.rs"),
    ("rust", RUST, "src/basket.rs",
     "use crate::{\n    models::{self, item::Item, deep::inner::*},\n    Error, // crate::main\n};\nuse super::Error;\n",
     "src/models/mod.rs src/models/item.rs src/models/deep/inner.rs src/lib.rs"),
    ("rust", RUST, "src/models/deep.rs", "mod inner;\nuse self::inner::A;\nuse super::item::Item;\nuse super::super::basket;\n",
     "src/models/deep/inner.rs src/models/item.rs src/basket.rs"),
    ("rust", RUST, "src/models/mod.rs", "mod item;\nuse item::Item;\nuse money_kit::rate::Rate as R;\nuse serde::Item;\n",
     "src/models/item.rs crates/money-kit/src/rate.rs"),
    ("rust", RUST, "tests/checkout.rs", "mod common;\nuse shop::basket::Basket;\nextern crate money_kit;\n",
     "tests/common/mod.rs src/basket.rs crates/money-kit/src/lib.rs"),
    ("java", JAVA, "app/src/main/java/com/shop/Basket.java",
     "package com.shop;\nimport java.util.List;\nimport com.shop.models.Item;\nimport static com.shop.models.State.OPEN;\n",
     "app/src/main/java/com/shop/models/Item.java app/src/main/java/com/shop/models/State.java"),
    ("java", JAVA, "app/src/test/java/com/shop/BasketTest.java",
     "import com.shop.models.*;\nimport com.shop.Basket.Inner;\nimport com.other.models.Item;\n",
     "app/src/main/java/com/shop/models/Item.java app/src/main/java/com/shop/models/State.java \
app/src/main/java/com/shop/Basket.java lib/src/main/java/com/other/models/Item.java"),
    ("kotlin", JAVA, "app/src/main/kotlin/com/shop/Rates.kt",
     "import com.shop.models.Item as Thing\nimport com.shop.Money\nimport com.shop.Missing\n",
     "app/src/main/java/com/shop/models/Item.java app/src/main/kotlin/Money.kt"),
    ("scala", JAVA, "app/src/main/scala/A.scala", "import com.shop.models.{Item, State => S}\n",
     "app/src/main/java/com/shop/models/Item.java app/src/main/java/com/shop/models/State.java"),
    ("c", C, "src/basket.c", '#include <stdio.h>\n#include "basket.h"\n# include "models/item.h"\n#include <shop/money.h>\n',
     "src/basket.h src/models/item.h include/shop/money.h"),
    ("c", C, "src/models/item.c", '#include "item.h"\n#include "../basket.h"\n#include <lib.h>\n#include "lib.h"\n// #include "x"\n',
     "src/models/item.h src/basket.h vendor/lib/include/lib.h"),
    ("cpp", C, "test/basket_test.cc", '#include "src/basket.h"\n#include "money.h"\n#include <item.h>\n',
     "src/basket.h include/shop/money.h"),
    ("csharp", CSHARP, "src/Shop.Web/Program.cs",
     "using System.Text;\nglobal using Shop.Core.Models;\nusing static Shop.Core.Basket;\nusing M = Shop.Services;\n",
     "src/Shop.Core/Models/Item.cs src/Shop.Core/Models/State.cs src/Shop.Core/Basket.cs Services/Mail.cs"),
    ("ruby", RUBY, "lib/shop.rb",
     "require 'json'\nrequire_relative 'shop/basket'\nautoload :Item, \"shop/models/item\"\n# require 'shop'\n",
     "lib/shop/basket.rb lib/shop/models/item.rb"),
    ("ruby", RUBY, "test/basket_test.rb", 'require "test_helper"\nrequire("shop")\nrequire_relative "../bin/run.rb"\n',
     "test/test_helper.rb lib/shop.rb bin/run.rb"),
    ("php", PHP, "public/index.php",
     "<?php\nuse Shop\\Basket;\nuse Shop\\Models\\{Item, State as S};\nrequire __DIR__ . '/../src/helpers.php';\nuse Psr\\Log;\n",
     "src/Basket.php src/Models/Item.php src/Models/State.php src/helpers.php"),
    ("php", PHP, "src/Basket.php", "<?php\n// why\nuse App\\Http\\Kernel;\nclass A {\n    use Item;\n}\n", "app/Http/Kernel.php"),
    ("lua", "lua/shop/init.lua lua/shop/basket.lua spec/a.lua", "spec/a.lua",
     'local s = require("shop")\nlocal b = require "shop.basket"\n-- require("spec.a")\n', "lua/shop/init.lua lua/shop/basket.lua"),
    ("dart", "lib/shop.dart lib/src/item.dart bin/a.dart", "lib/shop.dart",
     "import 'dart:io';\nimport 'package:shop/src/item.dart';\nexport '../bin/a.dart';\n", "lib/src/item.dart bin/a.dart"),
    ("typescript", SCRIPTS, "/src/index.ts", "import a from '/src/basket'\nimport b from '//'\nimport '..'\n", ""),
    ("markdown", "a.md b.md", "a.md", "import b\n", ""),
    ("", "", "", "import b\n", ""),
]  # fmt: skip

MODULES = {
    "@shop/core": "packages/core",
    "@shop/ui": "packages/ui",
    "example.com/shop": "",
    "example.com/shop/tools": "tools",
    "shop": "",
    "money_kit": "crates/money-kit",
}


@pytest.mark.parametrize(("language", "tree", "path", "text", "expected"), CASES)
def test_a_projects_own_imports(language, tree, path, text, expected):
    """Each import of a project's file gives the file, in order; those of libraries and in comments give none."""
    files = ProjectFiles(tree.split(), MODULES)
    assert imported(text.splitlines(keepends=True), language, path, files) == expected.split()


def test_a_file_does_not_import_itself_nor_another_twice():
    """However often a file is named, it is listed once, and the importing file never."""
    files = ProjectFiles(["a.py", "b.py"])
    text = ["import b\n", "from a import b\n", "import a, b\n"]
    assert imported(text, "python", "a.py", files) == ["b.py"]


def test_only_the_head_is_looked_at():
    """Imports are read from the first 400 lines."""
    files = ProjectFiles(["a.py", "b.py", "c.py"])
    text = [*["\n"] * 399, "import b\n", "import c\n"]
    assert imported(text, "python", "a.py", files) == ["b.py"]


def test_the_nearest_of_several():
    """Where several files would do, the one that shares most folders with the importing file is taken."""
    tree = ["one/src/lib/money.h", "two/src/lib/money.h", "two/src/app/main.c"]
    assert imported(['#include "lib/money.h"\n'], "c", "two/src/app/main.c", ProjectFiles(tree)) == [tree[1]]
    assert imported(['#include "lib/money.h"\n'], "c", "three/main.c", ProjectFiles(tree)) == [tree[0]]


def test_a_folder_gives_no_more_than_forty_files():
    """An import of a large folder is cut."""
    files = ProjectFiles([f"p/f{number:03}.go" for number in range(100)], {"m": ""})
    found = imported(['import "m/p"\n'], "go", "main.go", files)
    assert found == [f"p/f{number:03}.go" for number in range(40)]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("go.mod", "// a\nmodule example.com/shop\n\ngo 1.22\n", ("example.com/shop", "")),
        ("tools/go.mod", 'module "example.com/tools"\n', ("example.com/tools", "tools")),
        (
            "packages/core/package.json",
            '{"name": "@shop/core", "private": true}',
            ("@shop/core", "packages/core"),
        ),
        ("Cargo.toml", '[package]\nname = "money-kit"\n', ("money_kit", "")),
        ("crates/a/Cargo.toml", '[package]\nname = "a"\n[lib]\nname = "b"\n', ("b", "crates/a")),
        ("Cargo.toml", '[workspace]\nmembers = ["a"]\n', None),
        ("package.json", '{"private": true}', None),
        ("package.json", '{"name": 3}', None),
        ("package.json", "[]", None),
        ("package.json", "[" * 100_000, None),
        ("package.json", "{", None),
        ("Cargo.toml", "lib = 3\npackage = 4\n", None),
        ("Cargo.toml", "=", None),
        ("go.mod", "", None),
        ("pyproject.toml", '[project]\nname = "shop"\n', None),
    ],
)
def test_what_a_manifest_names(path, text, expected):
    """A manifest names its folder; a broken one and any other file name nothing."""
    assert module_of(path, text) == expected


LANGUAGES = sorted({case[0] for case in CASES})
TREE = sorted({path for case in CASES for path in case[1].split()})
PIECES = sorted({piece for case in CASES for piece in re.findall(r"\w+|\s+|[^\w\s]+", case[3])})


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.text(st.characters(exclude_categories=()), max_size=200),
        st.lists(st.sampled_from(PIECES), max_size=80).map("".join),
    ),
    st.sampled_from(LANGUAGES),
    st.sampled_from(TREE),
)
def test_any_text_will_do(text, language, path):
    """Whatever a file holds, what comes back are files of the project, each once."""
    found = imported(text.splitlines(keepends=True), language, path, ProjectFiles(TREE, MODULES))
    assert set(found) <= set(TREE) - {path}
    assert len(found) == len(set(found))


@given(
    st.sampled_from(["go.mod", "package.json", "Cargo.toml"]), st.text(st.characters(exclude_categories=()))
)
def test_any_manifest_will_do(path, text):
    """Whatever a manifest holds, it names a folder or nothing."""
    named = module_of(path, text)
    assert named is None or (named[0] and named[1] == "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_text_made_to_backtrack(language):
    """What a pattern could match in many ways is given up on soon: a wrong pattern never ends here."""
    files = ProjectFiles(TREE, MODULES)
    for word in [
        "from ",
        "import ",
        "import\t(",
        "use ",
        "use a::{",
        "require",
        "autoload",
        "using ",
        "#include ",
        "pub",
    ]:
        lines = [(word + " " * 990)[:990] + "\n", *[" " * 990 + "\n"] * 399]
        assert imported(lines, language, "a.py", files) == []
        assert imported([word * 90 + "\n"] * 400, language, "a.py", files) == []
