"""What is seen: screens that draw what is known and start what the user asks for."""
