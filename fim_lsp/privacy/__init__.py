"""What never leaves the machine: files that are excluded, strings that look like keys.  Every room may import it; it touches nothing but files of rules."""
