"""What presence can do: one module per use case, and the ports that they need."""
