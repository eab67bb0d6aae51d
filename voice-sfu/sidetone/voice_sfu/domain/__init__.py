"""Rooms, admission and limits: pure, without network, clock or randomness."""
