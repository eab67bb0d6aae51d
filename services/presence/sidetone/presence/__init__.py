"""Who is there, and who is whose friend."""
