import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from sidetone.client.api import Api
from sidetone.client.pinned import Endpoint, WrongKeyError, pinned_context
from sidetone.client.requests import Requests
from sidetone.credentials.pins import Address
from sidetone.protocol.refusals import Invalid, Unauthenticated, Unavailable
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.tls import Identity

WRONG = bytes(32)


class Listener:
    """A TLS server that answers everything alike and keeps what it was sent."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.received = b""


@asynccontextmanager
async def listening(identity: Identity) -> AsyncIterator[Listener]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listener.received += await reader.read(65536)
        if listener.received:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=identity.ssl_context())
    listener = Listener(server.sockets[0].getsockname()[1])
    async with server:
        yield listener


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    return Identity.open(tmp_path, ["localhost"], SystemClock().now_ms())


async def test_the_pinned_key_opens_a_connection(identity: Identity) -> None:
    async with listening(identity) as listener:
        context = pinned_context(identity.spki_sha256)
        async with httpx.AsyncClient(verify=context) as http:
            response = await http.get(f"https://127.0.0.1:{listener.port}/")
    assert response.text == "[]"


async def test_another_key_ends_the_handshake_before_a_byte_of_the_request(
    identity: Identity,
) -> None:
    async with listening(identity) as listener:
        api = Api(Requests(Endpoint(str(Address("127.0.0.1", listener.port, WRONG)))))
        with pytest.raises(Unauthenticated) as caught:
            await api.accounts.log_in("ada", "correct horse battery")
    assert caught.value.code == "server_key_wrong"
    assert "ask its owner" in caught.value.detail
    assert listener.received == b""


async def test_the_pin_also_guards_plain_asyncio_connections(identity: Identity) -> None:
    async with listening(identity) as listener:
        with pytest.raises(WrongKeyError):
            await asyncio.open_connection(
                "127.0.0.1", listener.port, ssl=pinned_context(WRONG), server_hostname="x"
            )


async def test_a_rotated_certificate_of_the_same_key_is_welcome(
    identity: Identity, tmp_path: Path
) -> None:
    fortnight_ms = 14 * 24 * 3600 * 1000
    async with listening(identity) as listener:
        for now_ms in (0, fortnight_ms):
            identity.refresh(SystemClock().now_ms() + now_ms)
            async with httpx.AsyncClient(verify=pinned_context(identity.spki_sha256)) as http:
                response = await http.get(f"https://127.0.0.1:{listener.port}/")
            assert response.is_success


async def test_a_server_that_speaks_no_tls_is_not_reached(identity: Identity) -> None:
    async def mumble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello, this is not TLS\n")
        writer.close()

    async with await asyncio.start_server(mumble, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        api = Api(Requests(Endpoint(str(Address("127.0.0.1", port, identity.spki_sha256)))))
        with pytest.raises(Unavailable) as caught:
            await api.accounts.log_in("ada", "correct horse battery")
    assert caught.value.code == "server_unreachable"


def test_old_protocols_are_not_spoken() -> None:
    assert pinned_context(WRONG).minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:7700", "http://localhost:7700/", "http://[::1]:7700"],
)
def test_plain_http_reaches_this_machine(address: str) -> None:
    assert Endpoint(address).url == address.rstrip("/")


@pytest.mark.parametrize(
    "address",
    [
        "http://10.0.0.1:7700",
        "http://play.example",
        "http://",
        "http://127.0.0.1:99999",
        "http://[::1",
    ],
)
def test_plain_http_reaches_nothing_else(address: str) -> None:
    with pytest.raises(Invalid) as caught:
        Endpoint(address)
    assert caught.value.code == "address_insecure"


def test_a_pinned_server_keeps_its_folder_when_it_moves() -> None:
    here, there = (
        Endpoint(str(Address(host, 7700, WRONG))) for host in ("a.example", "b.example")
    )
    assert here.name == there.name
    assert "/" not in Endpoint("http://[::1]:80").name
