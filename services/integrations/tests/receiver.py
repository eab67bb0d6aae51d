"""A program that webhooks are sent to: HTTPS on this machine under a name of the internet."""

import asyncio
import atexit
import shutil
import ssl
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpcore
from typing_extensions import override

from sidetone.all_in_one.nats_config.certificates import write_certificates
from sidetone.integrations.infrastructure.web_post import WebPost
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.public_network import PublicNetwork

PUBLIC = "93.184.216.34"


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver(httpcore.AsyncNetworkBackend):
    """Answers what a test wants. It is also the network on which its public address is found."""

    port: int = 0
    addresses: list[str] = field(default_factory=lambda: [PUBLIC])
    statuses: list[int] = field(default_factory=list[int])
    received: asyncio.Queue[Received] = field(default_factory=asyncio.Queue[Received])
    headers: str = ""

    async def resolve(self, *_: Any) -> Sequence[str]:
        return self.addresses

    @override
    async def connect_tcp(self, host: str, port: int, *args: Any, **_: Any) -> Any:
        assert host == PUBLIC
        return await httpcore.AnyIOBackend().connect_tcp("127.0.0.1", self.port)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        lines = [line.split(": ", 1) for line in head[1:] if line]
        headers = {name.lower(): value for name, value in lines}
        body = await reader.readexactly(int(headers["content-length"]))
        self.received.put_nowait(Received(head[0].split(" ")[1], headers, body))
        status = self.statuses.pop(0) if self.statuses else 204
        writer.write(f"HTTP/1.1 {status} x\r\ncontent-length: 0\r\n{self.headers}\r\n".encode())
        await writer.drain()
        writer.close()

    async def next(self) -> Received:
        async with asyncio.timeout(30):
            return await self.received.get()


@cache
def certificates() -> Path:
    """Return a folder with the certificate of https://games.example and its authority."""
    folder = Path(tempfile.mkdtemp(prefix="sidetone-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    write_certificates(folder, ["games.example"], SystemClock().now_ms())
    return folder


@asynccontextmanager
async def open_receiver() -> AsyncGenerator[tuple[Receiver, WebPost]]:
    """Serve as https://games.example, and return the way there as well."""
    folder = certificates()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(folder / "server.pem", folder / "server-key.pem")
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield (
            receiver,
            WebPost(PublicNetwork(receiver, receiver), authority=str(folder / "ca.pem")),
        )
    finally:
        server.close()
