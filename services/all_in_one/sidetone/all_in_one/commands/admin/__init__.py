"""``sidetone admin``: what an operator does on the second day; a file for each subcommand."""

from sidetone.all_in_one.lazy_group import LazyGroup

COMMANDS = {
    "copy-messages": "Move all messages from one kind of store to another.",
    "integrator": "Let other people's programs read the public events, or no more.",
    "nats-config": "Write the configuration of a NATS server on which nobody may do too much.",
}

admin = LazyGroup(
    "admin",
    package="sidetone.all_in_one.commands.admin",
    commands=COMMANDS,
    line="Look after a server: backups, users, servers.",
)
