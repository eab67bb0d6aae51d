"""What two users are to each other, and how one is seen: no I/O, no clock, no randomness."""
