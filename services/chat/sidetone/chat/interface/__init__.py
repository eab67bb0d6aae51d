"""How the outside reaches the use cases: HTTP, and questions on the bus."""
