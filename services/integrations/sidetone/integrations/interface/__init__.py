"""How the outside reaches the use cases: HTTP, and facts of the journal."""
