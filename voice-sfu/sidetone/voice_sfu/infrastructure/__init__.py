"""Files that the forwarding unit writes."""
