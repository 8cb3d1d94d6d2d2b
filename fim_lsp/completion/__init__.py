"""A completion, from a document and a place to text worth inserting: cache, debounce, stream, ghost text.  `lsp`, `commands` and `replay` import it; it touches the event loop."""
