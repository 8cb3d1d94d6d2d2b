"""What completions cost: prices, the ledger and its record, limits and permits, token counts, reports.

`completion`, `lsp` and `commands` import this room; it touches the user's state folder, by a thread of its own.
"""
