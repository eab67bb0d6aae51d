"""The chat: the messages of a channel, where one writes, and what stands beside them."""
