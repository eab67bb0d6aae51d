"""Who may say and hear what on NATS: derived from what each service does, signed, written down."""
