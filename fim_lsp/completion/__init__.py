"""A completion, from an open document and a place to texts worth inserting: cache, debounce, stream, ghost text, breaker.

`lsp`, `commands` and `replay` import this room; it touches the event loop and nothing else: clock and sleep are passed in.
"""
