"""What other people's programs are told, and what they may say."""
