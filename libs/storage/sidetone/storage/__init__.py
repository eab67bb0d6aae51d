"""Databases and key-value stores behind ports."""
