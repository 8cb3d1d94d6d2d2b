"""The editor's side: LSP in, LSP out, the layers of settings as a client sends them, the workspace and its maps' process.

Only `commands` imports this room; it touches stdin, stdout and a socket, the workspace's names, the client's process.
"""
