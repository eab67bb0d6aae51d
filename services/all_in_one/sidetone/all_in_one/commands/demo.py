"""``sidetone demo``: three members hear each other through a server that cannot decrypt them."""

import asyncio
import secrets
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import click
import msgspec
from rich.console import Console

from sidetone.all_in_one.demo.cast import SPEECH, Actor
from sidetone.all_in_one.demo.evidence import collect
from sidetone.all_in_one.demo.proof import judge
from sidetone.all_in_one.demo.proxy import LossyProxy, Weather
from sidetone.all_in_one.demo.report import Report, print_report, report_of
from sidetone.all_in_one.demo.server import server
from sidetone.all_in_one.demo.table import LiveTable
from sidetone.all_in_one.demo.talk import Outcome, Talk
from sidetone.client.client import Client
from sidetone.protocol.ids import ChannelId
from sidetone.protocol.refusals import Refusal
from sidetone.runtime.start import StartError, raise_priority, run

Route = Callable[[str, int], tuple[str, int]]

# Two speakers, a listener, the visitor of the talk and the guest of the timed joins.
NAMES = ("Ada", "Ben", "Cho", "Dan", "Eve")
SPEAKERS = {"Ada": SPEECH / "ada.wav", "Ben": SPEECH / "ben.wav"}


class Options(msgspec.Struct, frozen=True):
    """What the command line says."""

    seconds: float
    joins: int
    weather: Weather
    record: Path | None


@click.command()
@click.option("--seconds", default=20.0, show_default=True, type=click.FloatRange(min=2.0))
@click.option("--joins", default=20, show_default=True, help="Joins to time after the talk.")
@click.option("--loss", default=0.0, type=click.FloatRange(0, 90), help="% of packets lost.")
@click.option("--jitter", default=0.0, type=click.FloatRange(0, 500), help="Extra delay in ms.")
@click.option("--record", type=click.Path(path_type=Path), help="Keep what each member heard.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all figures.")
@click.option("--ui", is_flag=True, help="Open the client on a server whose members talk.")
@click.option("--open/--no-open", "open_", default=True, help="With --ui: open a browser.")
def demo(  # noqa: PLR0913 (an argument for each option)
    *,
    seconds: float,
    joins: int,
    loss: float,
    jitter: float,
    record: Path | None,
    json_file: Path | None,
    ui: bool,
    open_: bool,
) -> None:
    """Watch three members hear each other through a server that cannot decrypt them."""
    if ui:
        run(lambda: _show(open_=open_))
        return
    options = Options(seconds, joins, Weather(loss / 100, jitter), record)
    _writable(record, json_file)
    failures: list[str] = []
    raise_priority()
    run(lambda: _demo(options, json_file, failures))
    if failures:
        raise click.ClickException("; ".join(failures) + ".")


def _writable(record: Path | None, json_file: Path | None) -> None:
    """Find out now, and not when the demo is over, whether its results can be written."""
    try:
        if record is not None:
            record.mkdir(parents=True, exist_ok=True)
        if json_file is not None:
            json_file.touch()
    except OSError as error:
        raise click.ClickException(
            f"{error.filename} cannot be written ({error.strerror}): choose another place."
        ) from None


async def _show(*, open_: bool) -> None:
    try:
        from sidetone.all_in_one.demo.ui import show  # noqa: PLC0415 - the client is an extra
    except ModuleNotFoundError as missing:
        raise StartError(
            f"the client is not installed ({missing.name} is missing): run `uv sync --inexact "
            "--extra client`."
        ) from missing
    with tempfile.TemporaryDirectory(prefix="sidetone-demo-") as name:
        await show(Console(), Path(name), open_=open_)


async def _demo(options: Options, json_file: Path | None, failures: list[str]) -> None:
    console = Console()
    with tempfile.TemporaryDirectory(prefix="sidetone-demo-") as name:
        try:
            report = await _play(console, options, Path(name))
        except Refusal as refusal:
            raise StartError(f"The demo stopped: {refusal.detail}") from refusal
    print_report(console, report)
    if json_file is not None:
        json_file.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    failures += report.failures()


async def _play(console: Console, options: Options, folder: Path) -> Report:
    with LiveTable(console) as table:
        table.show("compiling the audio kernels (only the first time)")
        await asyncio.to_thread(_warm_up)
        table.show("starting a server")
        outcome = await _on_stage(table, options, folder)
        table.show("measuring quality, trying every datagram with every key")
        return await asyncio.to_thread(_judged, outcome, folder)


def _warm_up() -> None:
    from sidetone.audio.warm import warm_up  # noqa: PLC0415 - takes seconds: after the first line
    from sidetone.client.link_trial import kernels_work  # noqa: PLC0415

    warm_up()
    kernels_work()


def _judged(outcome: Outcome, folder: Path) -> Report:
    evidence = collect(folder / "evidence", folder / "server")
    verdict = judge(evidence, outcome.ring.keys, outcome.removed.keys, outcome.removed_at_ns)
    return report_of(outcome, evidence, verdict)


async def _on_stage(table: LiveTable, options: Options, folder: Path) -> Outcome:
    ears = options.record or folder
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(
            server(folder / "server", folder / "server.log", evidence=folder / "evidence")
        )
        cast: list[Actor] = []
        for seed, name in enumerate(NAMES):
            route = await _route(stack, options.weather, seed)
            client = Client(address, data_dir=folder / "clients", route=route)
            await stack.enter_async_context(client)
            await client.register(name, secrets.token_urlsafe(16))
            cast.append(Actor(name, client, SPEAKERS.get(name), ears / f"heard-by-{name}.wav"))
        channel = await _community(cast)
        return await Talk(channel, cast, table.show).perform(options.seconds, options.joins)


async def _route(stack: AsyncExitStack, weather: Weather, seed: int) -> Route | None:
    """Put bad weather between the server and one client; in good weather nothing."""
    if weather == Weather():
        return None
    proxy = LossyProxy(weather, seed)
    await proxy.start()
    stack.callback(proxy.close)
    return proxy.route


async def _community(cast: list[Actor]) -> ChannelId:
    """Let the first member found a server and the others come in by an invite."""
    founder = cast[0].client
    home = await founder.api.servers.create("Demo")
    invite = await founder.api.servers.invite(home.id)
    for guest in cast[1:]:
        await guest.client.api.servers.accept_invite(invite.code)
    return (await founder.find_channel("Lounge")).id
