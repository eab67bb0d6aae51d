"""The demo: three members talk through a server that cannot decrypt them, measured and proven.

Everything is real: the server is ``sidetone serve`` in a process of its own, the members are the
SDK with file devices, and the loss comes from a proxy on the wire.
"""
