"""Accounts, logins, device keys and grants."""
