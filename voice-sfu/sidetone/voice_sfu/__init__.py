"""Selective forwarding of encrypted voice over QUIC."""
