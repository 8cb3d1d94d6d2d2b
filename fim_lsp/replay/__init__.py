"""What completion would cost and be worth on a repository of your own: its history replayed as typing sessions.

Only `commands` imports this room; it touches git's plumbing and the demo endpoint.
"""
