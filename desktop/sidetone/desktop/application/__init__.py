"""What a user can do, a file for each, and what it takes from the world."""
