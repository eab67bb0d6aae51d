"""Which facts are public, and how they are told: pure rules."""
