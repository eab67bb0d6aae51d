"""Backups: one file that holds all that a server must not lose, and the way back."""
