"""What never leaves the machine: files that are excluded or ignored, strings that look like keys, hunks of such files.

Every room but `text`, `settings` and `demo` imports this one; it touches ignore files and links, to read them.
"""
