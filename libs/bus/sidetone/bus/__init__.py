"""Announce facts and ask questions."""
