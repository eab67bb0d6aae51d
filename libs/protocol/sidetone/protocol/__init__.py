"""The published language: every type that crosses a process boundary."""
