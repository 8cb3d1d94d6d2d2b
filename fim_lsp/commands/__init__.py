"""The commands of the terminal: arguments in, one function called, text and an exit code out.

Nothing imports this room; it may import every other, and touches the terminal and the user's own files.
"""
