"""The text around a cursor, and what of a model's answer is worth inserting.  Every room may import it; it touches nothing."""
