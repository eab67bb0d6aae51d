"""Servers, channels and members."""
