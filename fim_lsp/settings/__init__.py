"""What a user may set, who may set what, and where the key comes from.

Every room but `text`, `words`, `privacy`, `context` and `demo` imports this one; it touches the user's own file and command.
"""
