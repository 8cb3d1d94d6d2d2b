"""The endpoint: request, stream, every way of failing as one of two errors, circuit breaker, connection pool.

`completion`, `usage`, `replay` and `commands` import this room; it touches the network.
"""
