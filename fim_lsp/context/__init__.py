"""What a prompt shows: the prompt window, the edit log, and the project map, which a process beside the server draws.

`completion`, `usage`, `lsp` and `replay` import this room; only `survey`, `surveyor` and `tree` touch anything: the
workspace's files, to read.  README.md beside this file has the designs and what was measured.
"""
