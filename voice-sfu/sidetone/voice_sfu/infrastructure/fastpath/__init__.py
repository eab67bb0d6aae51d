"""Media past the interpreter: one thread of machine code receives, opens, fans out and seals.

aioquic keeps every connection: handshakes, streams, key updates, migration and recovery stay with
it. What a voice costs most of the time, short packets of datagrams and acknowledgements, never
reaches it: kernels read and write those by the state in one record of each member (`rows`). Those
that know no rooms are in `sidetone.quic`. Kernels check no bounds, so every length that comes from
the wire is checked before it is used.
"""
