"""An archive of what is written in public, which misses nothing and holds nothing twice.

python docs/examples/message_archive.py tls://HOST:4222 NAME.creds ca.pem ARCHIVE.jsonl

The operator makes the credentials: ``sidetone admin integrator add NAME --events 'message.*'``.
NATS keeps our place: an event is confirmed when it is on disk, and comes again if we die before
that. What comes again is known by its id.
"""

import asyncio
import contextlib
import json
import os
import ssl
import sys
from pathlib import Path
from typing import BinaryIO

import nats
from nats.aio.msg import Msg

# Events that are written, synced and confirmed together.
TOGETHER = 100
# What was not confirmed comes again after half a minute: then it stands so many events back.
REMEMBERED = 200_000


class Archive:
    """A file of JSON lines; a line that was cut off by a crash is removed at the start."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("a+b")
        self._file.seek(0)
        self._ids: dict[str, None] = {}
        whole = 0
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            whole += len(line)
            self._remember(json.loads(line)["id"])
        self._file.truncate(whole)

    def add(self, events: list[bytes]) -> None:
        """Keep *events* that are new; they are on disk when this returns."""
        for event in events:
            read = json.loads(event)
            if read["id"] not in self._ids:
                self._remember(read["id"])
                self._file.write(json.dumps(read).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def _remember(self, event: str) -> None:
        self._ids[event] = None
        if len(self._ids) > REMEMBERED:
            del self._ids[next(iter(self._ids))]


async def main(url: str, credentials: str, authority: str, path: str) -> None:
    """Keep what comes, for ever."""
    archive = Archive(Path(path))
    name = Path(credentials).stem
    client = await nats.connect(
        url,
        tls=ssl.create_default_context(cafile=authority),
        user_credentials=credentials,
        inbox_prefix=f"_INBOX.{name}",
        max_reconnect_attempts=-1,
    )
    place = await client.jetstream().pull_subscribe_bind(
        consumer=name.removeprefix("integrator-"), stream="EVENTS"
    )
    while True:
        messages: list[Msg] = []
        with contextlib.suppress(TimeoutError):
            messages = await place.fetch(TOGETHER, timeout=1)
        if messages:
            await asyncio.to_thread(archive.add, [message.data for message in messages])
            for message in messages:
                await message.ack()


if __name__ == "__main__":
    if len(sys.argv) != len(("program", "url", "credentials", "authority", "archive")):
        sys.exit(__doc__)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(*sys.argv[1:]))
