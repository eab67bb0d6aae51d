"""Passwords, tokens and tickets."""
