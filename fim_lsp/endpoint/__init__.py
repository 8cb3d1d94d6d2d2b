"""The endpoint: request, stream, every way of failing, the circuit breaker, the connection pool.  It touches the network."""
