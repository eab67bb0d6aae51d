"""The ``sidetone`` command."""

import click

from sidetone.all_in_one.lazy_group import LazyGroup

COMMANDS = {
    "admin": "Look after a server: backups, users, servers.",
    "audio": "Find out what is wrong with sound on this machine.",
    "audit": "Check that nobody changed the logs of what was done in servers.",
    "client": "Open the client: friends, servers, voice.",
    "config": "Check the settings of this machine, or list all there are.",
    "demo": "Watch three members hear each other through a server that cannot decrypt them.",
    "keys": "Change the keys that sign tokens and tickets, or the one of the server.",
    "migrate": "Bring a database up to this version, or back to an earlier one.",
    "serve": "Run a server on this machine.",
    "service": "Run one service on PostgreSQL, Valkey and NATS.",
    "sfu": "Run this machine's voice nodes on NATS.",
    "status": "Show what runs: load, lag, versions, health of engines.",
    "vectors": "Check a file of VX1 test vectors.",
}

main = LazyGroup(
    "sidetone",
    package="sidetone.all_in_one.commands",
    commands=COMMANDS,
    line="Voice and text for people who play together, on your own machine.",
)
click.version_option(package_name="sidetone-all-in-one", prog_name="sidetone")(main)


if __name__ == "__main__":
    main()
