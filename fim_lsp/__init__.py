"""fim-lsp: code completion in any editor, from DeepSeek's fill-in-the-middle endpoint."""

__version__ = "0.2.0"
