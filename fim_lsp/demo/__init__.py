"""The embedded demo endpoint: the service's HTTP protocol with a very small model behind it."""
