"""Runs the server that lies beside this file, and nothing that lies elsewhere."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "libs"))

from fim_lsp.__main__ import main

sys.exit(main())
