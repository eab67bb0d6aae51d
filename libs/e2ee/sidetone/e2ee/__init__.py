"""VX1: end-to-end encrypted voice, sans I/O.

Bytes and milliseconds in, bytes and actions out. A client starts at `member`, the delivery service
at `commit`, `keypackage` and `frames`, the auth service at `grant`. Nothing here reads a clock,
draws randomness, opens a file or logs; every refusal is a `rejected.Rejected`.
"""
