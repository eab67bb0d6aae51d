"""What one sees of calls: who is in them, and how one takes part."""
