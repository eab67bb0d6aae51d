"""What the client knows and how it decides: no I/O, no clock, no pictures."""
