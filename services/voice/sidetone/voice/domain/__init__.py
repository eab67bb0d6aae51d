"""Which forwarding unit gets a call, and what a ticket allows: no I/O, no clock, no randomness."""
