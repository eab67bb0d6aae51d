"""How the outside reaches the use cases: HTTP, questions on the bus, facts of the journal."""
