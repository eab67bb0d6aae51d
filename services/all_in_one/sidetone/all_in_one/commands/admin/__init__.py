"""``sidetone admin``: what an operator does on the second day; a file for each subcommand."""

from sidetone.all_in_one.lazy_group import LazyGroup

COMMANDS = {
    "backup": "Write all that a server must not lose into one file, while it runs.",
    "copy-messages": "Move all messages from one kind of store to another.",
    "import-discord": "Make a server out of the JSON that DiscordChatExporter wrote.",
    "rebuild-search": "Build the search index of a cluster anew, while it is used.",
    "restore": "Make a server out of a backup, in an empty place.",
    "retention": "Let go of what is too old now, or only look at it.",
    "servers": "List, hand over and delete servers.",
    "users": "List, make, lock and delete accounts.",
    "integrator": "Let other people's programs read the public events, or no more.",
    "nats-config": "Write the configuration of a NATS server on which nobody may do too much.",
}

admin = LazyGroup(
    "admin",
    package="sidetone.all_in_one.commands.admin",
    commands=COMMANDS,
    line="Look after a server: backups, users, servers.",
)
