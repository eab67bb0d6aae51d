"""One WebSocket per client: what happens, in order and without gaps."""
