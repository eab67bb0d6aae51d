"""The rules of the gateway: sessions, what is kept for them, and who sees what. Pure."""
