"""A network that fails: a TCP connection to a real server, through which a test can cut."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


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


@asynccontextmanager
async def cable(target: str) -> AsyncGenerator[tuple[Cable, str]]:
    """Lay a cable to the NATS server *target*; give it and the URL of its other end."""
    cable = Cable(target)
    server = await asyncio.start_server(cable.join, "127.0.0.1", 0)
    yield cable, f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    await cable.cut()
