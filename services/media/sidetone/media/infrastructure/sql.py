"""What is known of files, in the tables of media."""

from collections.abc import Sequence
from typing import cast

import msgspec

from sidetone.media.application.ports import Quota
from sidetone.media.domain.holding import Holding, file_in_use, file_not_ready, unknown_file
from sidetone.protocol.files import File, FilePurpose
from sidetone.protocol.ids import ChannelId, FileId, UserId
from sidetone.protocol.refusals import RateLimited
from sidetone.storage import Database, Row, Transaction

_DAY_MS = 24 * 60 * 60_000
_LATE_AT_ONCE = 500
_KNOWN_AT_ONCE = 200

_COLUMNS = """id, name, media_type, size_bytes, width, height, spoiler,
    purpose, owner, state, quarantine, created_at_ms, channel"""
_INSERT = f"""
INSERT INTO media_files ({_COLUMNS}, token, busy_until_ms)
VALUES (:id, :name, :media_type, :size_bytes, :width, :height, :spoiler,
    :purpose, :owner, :state, :quarantine, :created_at_ms, :channel, :token, 0)
"""  # noqa: S608 - the names of our own columns
_FIND = f"SELECT {_COLUMNS} FROM media_files WHERE id = :id AND state <> 'dropped'"  # noqa: S608
_AWAITED = f"""
SELECT {_COLUMNS} FROM media_files
WHERE token = :token AND state = 'open' AND created_at_ms > :after_ms
"""  # noqa: S608
_DROPPED = f"""
SELECT {_COLUMNS} FROM media_files WHERE state = 'dropped'
ORDER BY created_at_ms LIMIT :count_max
"""  # noqa: S608
# The condition holds the row: of two uploads at once the second sees what the first has spent.
_SPEND = """
INSERT INTO media_spent (owner, day, size_bytes) VALUES (:owner, :day, :size_bytes)
ON CONFLICT (owner, day) DO UPDATE SET size_bytes = media_spent.size_bytes + :size_bytes
WHERE media_spent.size_bytes + :size_bytes <= :bytes_max
"""
_COUNT_OPEN = """
SELECT count(*) FROM media_files WHERE owner = :owner AND state IN ('open', 'checking')
"""
_BEGIN_CHECK = """
UPDATE media_files SET state = 'checking', busy_until_ms = :busy_until_ms
WHERE id = :id AND (state = 'open' OR (state = 'checking' AND busy_until_ms < :now_ms))
"""
_PUT_OFF_CHECK = """
UPDATE media_files SET state = 'open', busy_until_ms = 0
WHERE id = :id AND state = 'checking' AND busy_until_ms = :busy_until_ms
"""
_FINISH_CHECK = """
UPDATE media_files SET state = 'ready', media_type = :media_type, size_bytes = :size_bytes,
    width = :width, height = :height, token = NULL
WHERE id = :id AND state = 'checking' AND busy_until_ms = :busy_until_ms
"""
_CLAIM = """
UPDATE media_files SET state = 'claimed', channel = :channel
WHERE id = :id AND owner = :owner AND purpose = :purpose AND state = 'ready'
"""
_DROP = "UPDATE media_files SET state = 'dropped', token = NULL WHERE id = :id"
_DROP_OF_USER = """
UPDATE media_files SET state = 'dropped', token = NULL
WHERE owner = :owner AND (purpose = 'avatar' OR state IN ('open', 'checking', 'ready'))
"""
_DROP_LATE = """
UPDATE media_files SET state = 'dropped', token = NULL WHERE id IN (
    SELECT id FROM media_files
    WHERE (state = 'ready' AND created_at_ms < :ready_before_ms)
        OR (state IN ('open', 'checking') AND created_at_ms < :open_before_ms
            AND busy_until_ms < :now_ms)
    LIMIT :count_max
) AND state IN ('open', 'checking', 'ready')
"""
_FORGET = "DELETE FROM media_files WHERE id = :id AND state = 'dropped'"
_FORGET_SPENT = "DELETE FROM media_spent WHERE day < :before_day"


class SqlHoldings:
    """Files by id, and how much each user announced today."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def announce(self, holding: Holding, token: bytes, quota: Quota) -> None:
        """Keep a new upload."""
        day, passed_ms = divmod(holding.created_at_ms, _DAY_MS)
        spending: dict[str, object] = {
            "owner": holding.owner,
            "day": day,
            "size_bytes": holding.file.size_bytes,
            "bytes_max": quota.bytes_per_day_max,
        }
        async with self._database.transaction() as rows:
            if holding.file.size_bytes > quota.bytes_per_day_max or not await rows.execute(
                _SPEND, spending
            ):
                raise RateLimited(
                    "upload_quota_spent",
                    f"{quota.bytes_per_day_max} bytes a day are yours; go on tomorrow",
                    (_DAY_MS - passed_ms) / 1000,
                )
            [(open_uploads,)] = await rows.fetch(_COUNT_OPEN, {"owner": holding.owner})
            if cast("int", open_uploads) >= quota.open_uploads_max:
                detail = f"{quota.open_uploads_max} uploads are open; complete one of them first"
                raise RateLimited("uploads_too_many", detail, 60)
            await rows.execute(_INSERT, _values(holding, token))

    async def add(self, holding: Holding) -> None:
        """Keep a file that the server made."""
        await self._database.execute(_INSERT, _values(holding, None))

    async def find(self, file: FileId) -> Holding:
        """Return what is known of *file*."""
        return _one(await self._database.fetch(_FIND, {"id": file}))

    async def awaited(self, token: bytes, announced_after_ms: int) -> Holding:
        """Return the open upload with that secret."""
        values = {"token": token, "after_ms": announced_after_ms}
        return _one(await self._database.fetch(_AWAITED, values))

    async def begin_check(self, file: FileId, now_ms: int, busy_until_ms: int) -> bool:
        """Reserve the check of *file*."""
        values = {"id": file, "now_ms": now_ms, "busy_until_ms": busy_until_ms}
        return await self._database.execute(_BEGIN_CHECK, values) == 1

    async def put_off_check(self, file: FileId, busy_until_ms: int) -> None:
        """Give the reservation back."""
        values = {"id": file, "busy_until_ms": busy_until_ms}
        await self._database.execute(_PUT_OFF_CHECK, values)

    async def finish_check(self, holding: Holding, busy_until_ms: int) -> bool:
        """Write what the check found."""
        file = holding.file
        values: dict[str, object] = {
            "id": file.id,
            "media_type": file.media_type,
            "size_bytes": file.size_bytes,
            "width": file.width,
            "height": file.height,
            "busy_until_ms": busy_until_ms,
        }
        return await self._database.execute(_FINISH_CHECK, values) == 1

    async def claim(
        self,
        files: Sequence[FileId],
        user: UserId,
        purpose: FilePurpose,
        channel: ChannelId | None,
    ) -> Sequence[Holding]:
        """Take *files* into use; in one order, so that no two claims wait in a ring."""
        async with self._database.transaction() as rows:
            claimed = {
                file: await _claim(rows, file, user, purpose, channel)
                for file in sorted(set(files))
            }
        return [claimed[file] for file in files]

    async def drop(self, files: Sequence[FileId]) -> None:
        """Hide *files*."""
        await self._database.execute_many(_DROP, [{"id": file} for file in sorted(set(files))])

    async def drop_of_user(self, user: UserId) -> None:
        """Hide what only *user* had."""
        await self._database.execute(_DROP_OF_USER, {"owner": user})

    async def drop_late(self, open_before_ms: int, ready_before_ms: int, now_ms: int) -> None:
        """Hide what took too long."""
        values = {
            "open_before_ms": open_before_ms,
            "ready_before_ms": ready_before_ms,
            "now_ms": now_ms,
            "count_max": _LATE_AT_ONCE,
        }
        while await self._database.execute(_DROP_LATE, values) == _LATE_AT_ONCE:
            pass

    async def dropped(self, count_max: int) -> Sequence[Holding]:
        """Return what is hidden."""
        rows = await self._database.fetch(_DROPPED, {"count_max": count_max})
        return [_holding(row) for row in rows]

    async def forget(self, files: Sequence[FileId]) -> None:
        """Delete rows of hidden files."""
        await self._database.execute_many(_FORGET, [{"id": file} for file in files])

    async def known(self, files: Sequence[FileId]) -> set[FileId]:
        """Return those of *files* that have a row."""
        known: set[FileId] = set()
        for start in range(0, len(files), _KNOWN_AT_ONCE):
            asked = files[start : start + _KNOWN_AT_ONCE]
            values = {f"f{number}": file for number, file in enumerate(asked)}
            marks = ", ".join(f":{name}" for name in values)
            rows = await self._database.fetch(
                f"SELECT id FROM media_files WHERE id IN ({marks})",  # noqa: S608 - our own marks
                values,
            )
            known |= {id_ for (id_,) in msgspec.convert(rows, list[tuple[FileId]])}
        return known

    async def forget_spent(self, before_day: int) -> None:
        """Delete what was counted on earlier days."""
        await self._database.execute(_FORGET_SPENT, {"before_day": before_day})


async def _claim(
    rows: Transaction,
    file: FileId,
    user: UserId,
    purpose: FilePurpose,
    channel: ChannelId | None,
) -> Holding:
    values = {"id": file, "owner": user, "purpose": purpose, "channel": channel}
    # The write comes first: who had to wait for another's claim then sees what became of it.
    await rows.execute(_CLAIM, values)
    holding = _one(await rows.fetch(_FIND, {"id": file}))
    if (holding.owner, holding.purpose) != (user, purpose):
        raise unknown_file()
    if holding.state != "claimed":
        raise file_not_ready()
    if holding.channel != channel:
        raise file_in_use()
    return holding


def _values(holding: Holding, token: bytes | None) -> dict[str, object]:
    file: dict[str, object] = msgspec.structs.asdict(holding.file)
    return {
        **file,
        "purpose": holding.purpose,
        "owner": holding.owner,
        "state": holding.state,
        "quarantine": holding.quarantine,
        "created_at_ms": holding.created_at_ms,
        "channel": holding.channel,
        "token": token,
    }


def _one(rows: Sequence[Row]) -> Holding:
    if not rows:
        raise unknown_file()
    return _holding(rows[0])


def _holding(row: Row) -> Holding:
    file = msgspec.convert(row[:7], tuple[FileId, str, str, int, int | None, int | None, bool])
    return Holding(File(*file), *row[7:])  # pyright: ignore[reportArgumentType] - columns in the order of the fields
