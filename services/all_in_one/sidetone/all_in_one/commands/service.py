"""``sidetone service NAME``: one service as a process of its own, on the real engines."""

import runpy
import sys

import click

SERVICES = (
    "auth",
    "chat",
    "gateway",
    "integrations",
    "media",
    "presence",
    "search-indexer",
    "voice",
)
# What is a part of another one, which is told so by its only argument.
_PARTS = {"search-indexer": "chat"}


@click.command()
@click.argument("name", type=click.Choice(SERVICES))
def service(name: str) -> None:
    """Run one service on PostgreSQL, Valkey and NATS, with settings from the environment.

    SIDETONE_CHAT_DATABASE_URL and so on: `sidetone config list NAME` names them all.
    """
    sys.argv[1:] = [name]
    runpy.run_module(f"sidetone.{_PARTS.get(name, name)}", run_name="__main__", alter_sys=True)
