"""Friends, conversations, and how one is seen."""
