"""What completion would cost on a repository of your own: its history replayed as typing sessions."""
