"""What completions cost: prices, the record of requests, limits, and the report a user reads."""
