"""Who may do what: pure functions over bits."""
