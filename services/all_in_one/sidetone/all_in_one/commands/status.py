"""``sidetone status``: what runs, how it is, and how far behind."""

import asyncio
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click
import msgspec
from rich.console import Console
from rich.table import Table

from sidetone.all_in_one.overview import Overview, overview
from sidetone.all_in_one.scraping import Look, Silence, look_at
from sidetone.all_in_one.whereabouts import Whereabout, whereabouts
from sidetone.runtime.start import StartError


@click.command()
@click.argument("urls", nargs=-1, metavar="[URL]...")
@click.option("--json", "as_json", is_flag=True, help="For programs; times are in their units.")
def status(urls: Sequence[str], *, as_json: bool) -> None:
    """Show the processes of a server or a cluster: load, lag, versions, health of engines.

    Each URL is that of a process that offers /metrics, as in https://10.0.0.5:8102; of a voice
    node it is that of its metrics port. Without one it looks at this machine, where the settings
    say that processes listen: it reads the variables that they read.
    """
    asked = [Whereabout("", url, expected=True) for url in urls] or _of_this_machine()
    looks = asyncio.run(look_at(each.url for each in asked))
    found = [look for look in looks if isinstance(look, Look)]
    silent = [
        Silence(each.url, f"{look.reason}{_remedy(each)}")
        for each, look in zip(asked, looks, strict=True)
        if isinstance(look, Silence) and each.expected
    ]
    if not found:
        _tell_of_nothing(silent)
    state = overview(found, silent)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(state), indent=2).decode())
    else:
        _show(state, Console())
    if state.silent or any(process.trouble for process in state.processes):
        sys.exit(2)


def _of_this_machine() -> Sequence[Whereabout]:
    try:
        return list(whereabouts(os.environ))
    except StartError as error:
        raise click.ClickException(str(error)) from error


def _remedy(where: Whereabout) -> str:
    if where.command:
        return f"; start it with {where.command}"
    return "; start it, or correct the address"


def _tell_of_nothing(silent: Sequence[Silence]) -> NoReturn:
    """Say that there is nothing to show, and where nothing was."""
    for each in silent:
        click.echo(_line(each), err=True)
    if not silent:
        click.echo(
            "sidetone: nothing of Sidetone answers at the usual places of this machine; start it "
            "(sidetone serve), or name its processes (sidetone status https://HOST:PORT ...)",
            err=True,
        )
    sys.exit(1)


def _line(silence: Silence) -> str:
    return f"{silence.url} does not answer: {silence.reason}"


def _show(state: Overview, console: Console) -> None:
    console.print(_processes(state))
    if state.voice_nodes:
        console.print(_nodes(state))
    console.print(_figures(state))
    for process in state.processes:
        if process.trouble:
            console.print(
                f"{process.url} is not ready: {process.trouble}", style="bold red", soft_wrap=True
            )
    for silence in state.silent:
        console.print(_line(silence), style="bold red", soft_wrap=True)


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column(first)
    for other in others:
        table.add_column(other, justify="right")
    return table


def _processes(state: Overview) -> Table:
    table = _table(
        "Processes",
        *("process", "address", "version", "ready", "CPU", "memory", "requests/s", "loop late"),
    )
    for one in state.processes:
        table.add_row(
            one.program,
            one.url,
            one.version,
            "no" if one.trouble else "yes",
            f"{one.cpu_share:.0%}",
            f"{one.memory_mb:.0f} MB",
            f"{one.requests_per_second:g}",
            f"{one.loop_delay_ms:g} ms",
        )
    return table


def _nodes(state: Overview) -> Table:
    table = _table("Voice nodes", "address", "devices", "calls", "CPU")
    for node in state.voice_nodes:
        table.add_row(node.address, str(node.devices), str(node.rooms), f"{node.cpu_share:.0%}")
    return table


def _figures(state: Overview) -> Table:
    table = _table("Together", "what", "now")
    for name, value, unit in (
        ("clients connected", state.sockets, ""),
        ("users connected", state.users_connected, ""),
        ("calls", state.calls, ""),
        ("devices in calls", state.devices_in_calls, ""),
        ("messages", state.messages_per_second, "/s"),
        ("lag of the outbox", state.outbox_lag_seconds, " s"),
        ("facts that wait", state.facts_waiting, ""),
        ("lag of search", state.search_lag_seconds, " s"),
        ("a statement takes", state.statement_ms, " ms"),
        ("statements that wait", state.statements_waiting, ""),
        ("the store takes", state.store_ms, " ms"),
    ):
        if value is not None:
            table.add_row(name, f"{value:g}{unit}")
    return table
