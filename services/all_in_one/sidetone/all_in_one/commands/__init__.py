"""The subcommands of ``sidetone``: each reads its options, picks vendors and runs."""
