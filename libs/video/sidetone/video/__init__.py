"""Screens as video: captured, encoded in a process of their own, decoded."""
