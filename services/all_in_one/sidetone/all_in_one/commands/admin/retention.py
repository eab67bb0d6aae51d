"""``sidetone admin retention``: what is too old goes now, and not within the hour."""

from collections.abc import AsyncIterator
from pathlib import Path

import click
import msgspec

import sidetone.auth.app
import sidetone.chat.app
import sidetone.media.app
from sidetone.all_in_one.commands.admin.answers import json_option, show
from sidetone.all_in_one.commands.place import place_of, place_options
from sidetone.all_in_one.data_folder import DataFolder
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage.files_folder import FolderFiles

_DAYS = click.IntRange(0, 36_500)


class Due(msgspec.Struct, frozen=True):
    """What goes: *count* of what *kind*, where, and after how many days."""

    kind: str
    where: str
    days: int
    count: int


@click.command(params=place_options())
@click.option("--dry-run", is_flag=True, help="Show what would go, and leave it there.")
@click.option(
    "--messages-kept-days",
    type=_DAYS,
    default=0,
    envvar="SIDETONE_MESSAGES_KEPT_DAYS",
    show_envvar=True,
    help="For servers that have no limit of their own; 0: for ever.",
)
@click.option(
    "--closed-accounts-kept-days",
    type=_DAYS,
    default=0,
    envvar="SIDETONE_CLOSED_ACCOUNTS_KEPT_DAYS",
    show_envvar=True,
    help="After so long the name of a closed account is free; 0: never.",
)
@json_option
def retention(
    database: str | None, data: Path | None, *, dry_run: bool, as_json: bool, **days: int
) -> None:
    """Let go of old messages, of closed accounts, and of files that nothing is known of."""
    place = place_of(database, data)
    files = DataFolder(place.folder).files if place.database is None else None

    async def work(around: Surroundings) -> None:
        lines = _work(around, days, files, dry_run=dry_run)
        await show(lines, _line, as_json=as_json)

    place.operate(work)


async def _work(
    around: Surroundings, days: dict[str, int], files: Path | None, *, dry_run: bool
) -> AsyncIterator[Due]:
    expiring = await sidetone.chat.app.expiring(around, days["messages_kept_days"])
    async for kept, count in expiring.due():
        yield Due("messages", kept.name or str(kept.server), kept.days, count)
    purging = sidetone.auth.app.purging(around, days["closed_accounts_kept_days"])
    if count := await purging.due():
        yield Due("closed accounts", "", purging.kept_days, count)
    if not dry_run:
        await expiring()
        await purging()
    # Those of a bucket are swept by the media service, which has its keys.
    if files is not None and files.is_dir():
        sweep = sidetone.media.app.orphans(around, FolderFiles(files))
        count, _ = await sweep(only_look=dry_run)
        if count:
            yield Due("files without owner", "", 1, count)


def _line(due: Due) -> str:
    where = f" of {due.where}" if due.where else ""
    return f"{due.count:,} {due.kind}{where}, older than {due.days} days"
