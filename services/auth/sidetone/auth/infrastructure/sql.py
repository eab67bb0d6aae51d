"""What all tables of auth have in common."""

from typing import TypeVar

import msgspec

from sidetone.auth.application.ports import Ended
from sidetone.protocol.events import LoginEnded, Services
from sidetone.protocol.ids import LoginId, UserId
from sidetone.runtime.outbox import Rows
from sidetone.storage import Row

R = TypeVar("R", bound=msgspec.Struct)


def record(row: Row, kind: type[R]) -> R:
    """Return *row*, whose columns stand in the order of the fields of *kind*."""
    return msgspec.convert(dict(zip(kind.__struct_fields__, row, strict=True)), kind)


async def end_logins(
    rows: Rows, user: UserId, condition: str = "TRUE", **values: object
) -> list[Ended]:
    """End the logins of *user* that *condition* holds for, and announce it with the rest.

    *condition* is ours, an SQL expression about *values*.
    """
    gone = await rows.fetch(
        f"DELETE FROM logins WHERE account = :user AND ({condition}) RETURNING id",  # noqa: S608
        {"user": user, **values},
    )
    ended = [Ended(user, msgspec.convert(login, LoginId)) for (login,) in gone]
    for one in ended:
        announce_end(rows, one)
    return ended


def announce_end(rows: Rows, ended: Ended) -> None:
    """Tell the services that a login is over."""
    rows.announce(Services(), LoginEnded(ended.user, ended.login))
