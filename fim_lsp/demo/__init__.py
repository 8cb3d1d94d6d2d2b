"""The embedded demo endpoint: the service's HTTP protocol with a very small model behind it.

`commands` and `replay` import this room; it touches loopback, and the files that the model reads.
"""
