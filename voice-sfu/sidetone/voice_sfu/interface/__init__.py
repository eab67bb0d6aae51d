"""How the outside reaches the rooms: QUIC and its control stream."""
