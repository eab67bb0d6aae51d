"""How clients reach the gateway: one WebSocket."""
