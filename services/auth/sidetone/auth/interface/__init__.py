"""How others reach the use cases: HTTP, and questions on the bus."""
