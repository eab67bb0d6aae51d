"""The client: windows, keys and notifications on top of the SDK."""
