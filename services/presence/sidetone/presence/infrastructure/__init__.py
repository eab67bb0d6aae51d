"""How the ports are met: SQL and a key-value store."""
