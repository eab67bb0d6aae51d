"""A network that fails: a TCP connection to a real server, through which a test can cut."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

_SIZED = (b"MSG ", b"HMSG ", b"PUB ", b"HPUB ")
_ASK_IS_OVER = b"NATS/1.0 408 "


class Cable:
    """A TCP connection to the real server that can be cut."""

    def __init__(self, target: str) -> None:
        self._port = urlsplit(target).port
        self._writers: list[asyncio.StreamWriter] = []
        self._pumps: set[asyncio.Task[None]] = set()

    async def join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection to the server."""
        there, out = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers += [writer, out]
        for source, sink in ((reader, out), (there, writer)):
            pump = asyncio.create_task(self._pump(source, sink))
            self._pumps.add(pump)

    async def cut(self) -> None:
        """Close every connection, and lose what is on its way."""
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        for writer in self._writers:
            writer.close()
        self._pumps.clear()
        self._writers.clear()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            sink.write(data)
        sink.close()


class MutedCable(Cable):
    """A cable to a server that does not say when what was asked for is over, as 2.9 may not.

    *muted* has how often it would have said so.
    """

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.muted: asyncio.Queue[None] = asyncio.Queue()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while line := await source.readline():
            body = b""
            if line.startswith(_SIZED):
                body = await source.readexactly(int(line.split()[-1]) + len(b"\r\n"))
            if body.startswith(_ASK_IS_OVER):
                self.muted.put_nowait(None)
            else:
                sink.write(line + body)
        sink.close()


@asynccontextmanager
async def cable(target: str) -> AsyncGenerator[tuple[Cable, str]]:
    """Lay a cable to the NATS server *target*; give it and the URL of its other end."""
    cable = Cable(target)
    async with laid(cable) as url:
        yield cable, url


@asynccontextmanager
async def laid(cable: Cable) -> AsyncGenerator[str]:
    """Lay *cable* for the length of the block; give the URL of its other end."""
    server = await asyncio.start_server(cable.join, "127.0.0.1", 0)
    try:
        yield f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await cable.cut()
