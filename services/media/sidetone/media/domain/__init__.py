"""What files may be, what they are called and where a link may lead: pure rules."""
