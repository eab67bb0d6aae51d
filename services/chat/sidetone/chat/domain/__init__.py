"""The rules of servers, channels, members and invites: no I/O, no clock, no randomness."""
