"""The published language: every type that crosses a process boundary.

Lowest layer of the repository: it imports nothing of ours and does no I/O. Changing a field here
is a wire change; the golden tests must be updated with it.
"""
