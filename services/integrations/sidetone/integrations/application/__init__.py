"""What the service can do, a file for each ability."""
