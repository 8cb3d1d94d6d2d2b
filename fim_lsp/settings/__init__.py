"""What a user may set, and where the key comes from.  Every room but `text` and `privacy` may import it; it touches the user's own files and command."""
