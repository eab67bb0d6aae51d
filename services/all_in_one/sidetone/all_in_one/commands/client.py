"""``sidetone client``: the desktop client, where it is installed."""

import click

try:
    from sidetone.desktop.__main__ import client
except ModuleNotFoundError as missing:
    raise click.ClickException(
        f"the client is not installed ({missing.name} is missing): run `uv sync --inexact "
        "--extra client`."
    ) from None

__all__ = ["client"]
