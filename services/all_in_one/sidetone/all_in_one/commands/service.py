"""``sidetone service NAME``: one service as a process of its own, on the real engines."""

import runpy

import click

SERVICES = ("auth", "chat", "gateway", "integrations", "media", "presence", "voice")


@click.command()
@click.argument("name", type=click.Choice(SERVICES))
def service(name: str) -> None:
    """Run one service on PostgreSQL, Valkey and NATS, with settings from the environment.

    SIDETONE_CHAT_DATABASE_URL and so on: `sidetone config list NAME` names them all.
    """
    runpy.run_module(f"sidetone.{name}", run_name="__main__", alter_sys=True)
