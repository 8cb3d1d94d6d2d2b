"""The editor's side: LSP in, LSP out, settings as a client sends them, the workspace's folders.  Only `commands` imports it; it touches stdin, stdout and the client."""
