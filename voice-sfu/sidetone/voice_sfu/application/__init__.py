"""What the forwarding unit does with its rooms; it knows ports, not vendors."""
