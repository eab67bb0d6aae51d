"""What the auth service can do: one file per ability."""
