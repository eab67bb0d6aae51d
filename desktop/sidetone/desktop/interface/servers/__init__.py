"""Servers and their administration: what is founded, joined, arranged, edited and moderated."""
