"""What a process tells those who run it: metrics, request ids and traces."""
