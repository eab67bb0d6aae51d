"""The SDK that bots and the desktop stand on: accounts, servers and encrypted calls.

``sidetone.client.client.Client`` is the door; everything else is reached from it. It draws nothing
and opens no device by itself.
"""
