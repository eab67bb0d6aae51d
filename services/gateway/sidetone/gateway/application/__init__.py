"""What the gateway can do: open and resume sessions, and tell them what happens."""
