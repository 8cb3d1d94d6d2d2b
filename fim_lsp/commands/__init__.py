"""The commands of the terminal: arguments in, text and an exit code out.  They may import every room; they touch the terminal and the user's own files."""
