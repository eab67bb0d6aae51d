"""Who may join which call, and where it lives."""
