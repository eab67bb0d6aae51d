"""VX1: end-to-end encrypted voice, sans I/O."""
