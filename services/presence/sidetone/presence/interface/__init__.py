"""How the outside reaches the use cases: HTTP, and events and questions on the bus."""
