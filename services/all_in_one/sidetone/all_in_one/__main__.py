"""The ``sidetone`` command; a subcommand is imported when it is called, so that all start fast."""

from importlib import import_module

import click
from typing_extensions import override

COMMANDS = {
    "audio": "Find out what is wrong with sound on this machine.",
    "audit": "Check that nobody changed the logs of what was done in servers.",
    "client": "Open the client: friends, servers, voice.",
    "config": "Check the settings of this machine, or list all there are.",
    "demo": "Watch three members hear each other through a server that cannot decrypt them.",
    "keys": "Change the keys that sign access tokens before their time.",
    "migrate": "Bring a database up to this version, or back to an earlier one.",
    "serve": "Run a server on this machine.",
    "service": "Run one service on PostgreSQL, Valkey and NATS.",
    "sfu": "Run this machine's voice nodes on NATS.",
    "status": "Show what runs: load, lag, versions, health of engines.",
    "vectors": "Check a file of VX1 test vectors.",
}


class LazyGroup(click.Group):
    """Finds the subcommand NAME as ``sidetone.all_in_one.commands.NAME.NAME``."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"sidetone.all_in_one.commands.{cmd_name}")
        return getattr(module, cmd_name)

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=LazyGroup)
@click.version_option(package_name="sidetone-all-in-one", prog_name="sidetone")
def main() -> None:
    """Voice and text for people who play together, on your own machine."""


if __name__ == "__main__":
    main()
