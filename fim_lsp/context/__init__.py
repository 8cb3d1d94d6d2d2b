"""What a prompt says of the project beyond the file."""
