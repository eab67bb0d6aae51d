"""The settings: every part of `domain.preferences` on a page, and what belongs to the account."""
