"""Serving, TLS while running, and stopping, with real sockets and real processes."""

import asyncio
import hashlib
import os
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar, Request, get
from litestar.datastructures import State

from sidetone.runtime.clock import SystemClock
from sidetone.runtime.process import serving
from sidetone.runtime.start import StartError
from sidetone.runtime.tls import Identity

CLOCK = SystemClock()
WEEK_MS = 7 * 24 * 3_600_000


@get("/livez")
async def livez() -> str:
    return "alive"


APP = Litestar([livez], openapi_config=None, logging_config=None)

PROGRAM = """
import sys
from litestar import Litestar, get
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.process import run, serving, stop_requested

@get("/livez")
async def livez() -> str:
    return "alive"

async def main() -> None:
    clock = SystemClock()
    app = Litestar([livez], openapi_config=None, logging_config=None)
    async with serving(app, sys.argv[1], int(sys.argv[2]), clock=clock) as port:
        print(port, flush=True)
        await stop_requested()
    print("stopped", flush=True)

run(main)
"""


def start(host: str, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, host, str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def open_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def handshake(port: int) -> bytes:
    """Return the SHA-256 of the certificate that a new connection is shown."""
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=open_context())
    tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
    der = tls.getpeercert(binary_form=True)
    assert der is not None
    assert tls.version() == "TLSv1.3"
    writer.close()
    await writer.wait_closed()
    return hashlib.sha256(der).digest()


async def test_a_rotation_reaches_new_connections_and_leaves_old_ones_alone(
    tmp_path: Path,
) -> None:
    now_ms = CLOCK.now_ms()
    identity = Identity.open(tmp_path, [], now_ms)
    current, following = identity.certificate_sha256()
    async with (
        serving(APP, "127.0.0.1", 0, clock=CLOCK, identity=identity) as port,
        httpx.AsyncClient(base_url=f"https://localhost:{port}", verify=open_context()) as client,
    ):
        assert (await client.get("/livez")).text == "alive"
        assert await handshake(port) == current
        assert identity.refresh(now_ms + WEEK_MS)
        assert await handshake(port) == following
        assert (await client.get("/livez")).text == "alive"


async def test_an_idle_connection_does_not_hold_up_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    identity = Identity.open(tmp_path, [], CLOCK.now_ms())
    async with (
        httpx.AsyncClient(verify=open_context()) as client,
        serving(APP, "127.0.0.1", 0, clock=CLOCK, identity=identity) as port,
    ):
        await client.get(f"https://127.0.0.1:{port}/livez")
    assert "graceful shutdown exceeded" not in caplog.text


async def test_a_client_that_trusts_the_certificate_accepts_the_names(tmp_path: Path) -> None:
    identity = Identity.open(tmp_path, [], CLOCK.now_ms())
    trusting = ssl.create_default_context(cafile=identity.certificate_file)
    async with serving(APP, "localhost", 0, clock=CLOCK, identity=identity) as port:
        for host in ("localhost", "127.0.0.1"):
            async with httpx.AsyncClient(verify=trusting) as client:
                answer = await client.get(f"https://{host}:{port}/livez")
                assert answer.status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "play.example"])
async def test_plain_http_is_refused_beyond_loopback(host: str) -> None:
    with pytest.raises(StartError, match="not loopback"):
        async with serving(APP, host, 0, clock=CLOCK):
            pass


@get("/peer")
async def peer(request: Request[Any, Any, State]) -> str:
    assert request.client is not None
    return request.client.host


@pytest.mark.parametrize(
    ("trusted", "seen"),
    [([], "127.0.0.1"), (["192.0.2.9"], "127.0.0.1"), (["127.0.0.1"], "192.0.2.1")],
)
async def test_a_forwarded_address_is_believed_from_trusted_proxies_only(
    trusted: list[str], seen: str
) -> None:
    app = Litestar([peer], openapi_config=None, logging_config=None)
    async with (
        serving(app, "127.0.0.1", 0, clock=CLOCK, trusted_proxies=trusted) as port,
        httpx.AsyncClient(headers={"x-forwarded-for": "192.0.2.1"}) as client,
    ):
        assert (await client.get(f"http://127.0.0.1:{port}/peer")).text == seen


async def test_a_port_in_use_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=f"port {port} on 127.0.0.1 cannot be served"):
            async with serving(APP, "127.0.0.1", port, clock=CLOCK):
                pass


async def test_a_request_in_flight_is_answered_before_the_server_is_gone() -> None:
    entered, release = asyncio.Event(), asyncio.Event()

    @get("/slow")
    async def slow() -> str:
        entered.set()
        await release.wait()
        return "done"

    app = Litestar([slow], openapi_config=None, logging_config=None)
    async with httpx.AsyncClient() as client:
        async with serving(app, "127.0.0.1", 0, clock=CLOCK) as port:
            asking = asyncio.create_task(client.get(f"http://127.0.0.1:{port}/slow"))
            await entered.wait()
            asyncio.get_running_loop().call_later(0.2, release.set)
        assert (await asking).text == "done"
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://127.0.0.1:{port}/livez")


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_process_cleanly(number: signal.Signals) -> None:
    process = start("127.0.0.1", 0)
    assert process.stdout is not None
    port = int(process.stdout.readline())
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as idle:
        assert idle.get("/livez").status_code == 200
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
    assert (out, err, process.returncode) == ("stopped\n", "", 0)


def test_a_process_that_cannot_start_says_why_in_one_line_and_fails() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start("127.0.0.1", taken.getsockname()[1])
        out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out == ""
    assert err.startswith("sidetone: port ")
    assert err.count("\n") == 1
