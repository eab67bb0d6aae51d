"""``sidetone audio``: what to do about sound on this machine."""

import json
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from sidetone.audio.doctor import SELF_TEST_SECONDS, Diagnosis, describe, examine


@click.group()
def audio() -> None:
    """Find out what is wrong with sound on this machine."""


@audio.command()
@click.option(
    "--seconds",
    type=click.FloatRange(1, 30),
    default=SELF_TEST_SECONDS,
    show_default=True,
    help="How long the test voice talks.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    help="Write everything that was found to this file as well.",
)
def doctor(seconds: float, json_file: Path | None) -> None:
    """Try devices, codec and encryption, and say what to do.

    Say something while it runs: the microphone's level is looked at, nothing is kept or sent.
    Fails only where there can be no sound at all.
    """
    found = _examined(seconds)
    for line in describe(found):
        click.echo(line)
    if json_file is not None:
        try:
            json_file.write_text(json.dumps(found.as_dict(), indent=2), "utf-8")
        except OSError as error:
            raise click.ClickException(
                f"{json_file} cannot be written: {error.strerror}."
            ) from None
    if found.impossible:
        raise SystemExit(1)


def _examined(seconds: float) -> Diagnosis:
    """Show on a terminal how far the compiler is; a first run takes a while."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("getting ready", total=1.0)

        def progress(what: str, share: float) -> None:
            what = "listening and talking" if share >= 1 else f"getting ready: {what}"
            shown.update(task, description=what, completed=share)

        return examine(progress, seconds)
