"""What voice can do: one module per use case, and the ports that they need."""
