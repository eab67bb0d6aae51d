"""Who gets to the page: its own user, by an address that works once, and nobody else."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import websockets

from sidetone.desktop.__main__ import ASSETS
from sidetone.desktop.infrastructure import web_page
from sidetone.desktop.infrastructure.page_files import PageFiles, flet_files
from sidetone.desktop.infrastructure.page_uploads import PageUploads
from sidetone.desktop.infrastructure.web_page import serving
from sidetone.protocol.refusals import Invalid, Unavailable

Address = Callable[[str], str]


async def _nothing(_: object) -> None:
    """Draw nothing."""


@pytest.fixture
def uploads() -> PageUploads:
    return PageUploads()


@pytest.fixture
async def address(uploads: PageUploads) -> AsyncGenerator[Address]:
    async with serving(_nothing, ASSETS, uploads) as address:
        yield address


@pytest.fixture
async def browser(address: Address) -> AsyncGenerator[httpx.AsyncClient]:
    """Return something that was let in."""
    async with httpx.AsyncClient(base_url=_origin(address), follow_redirects=True) as client:
        assert (await client.get(address("/"))).status_code == 200
        yield client


def _origin(address: Address) -> str:
    parts = urlsplit(address("/"))
    return f"{parts.scheme}://{parts.netloc}"


def _port(address: Address) -> int:
    port = urlsplit(address("/")).port
    assert port is not None
    return port


async def test_a_token_opens_the_page_once(address: Address) -> None:
    url = address("/")
    async with httpx.AsyncClient() as first, httpx.AsyncClient() as second:
        entered = await first.get(url)
        assert entered.status_code == 303
        assert entered.headers["location"] == "/"
        cookie = entered.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert "token" not in entered.headers["location"]
        assert (await first.get(_origin(address) + "/")).status_code == 200
        again = await second.get(url)
    assert again.status_code == 403
    assert "works once" in again.text


async def test_without_a_token_there_is_nothing(address: Address) -> None:
    async with httpx.AsyncClient(base_url=_origin(address)) as client:
        for path in ("/", "/page.js", "/fonts/emoji", "/?token=", "/?token=guess"):
            assert (await client.get(path)).status_code == 403, path


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "sidetone.evil.example"},
        {"host": "localhost:{port}"},
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:{other}"},
        {"origin": "null"},
    ],
)
async def test_another_site_is_refused_with_cookie_and_token(
    address: Address, browser: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    port = _port(address)
    said = {name: value.format(port=port, other=port + 1) for name, value in headers.items()}
    assert (await browser.get("/", headers=said)).status_code == 403
    assert (await browser.get(address("/"), headers=said)).status_code == 403


@pytest.mark.parametrize("what", ["no cookie", "wrong cookie", "other origin", "other host"])
async def test_a_websocket_needs_cookie_and_origin(
    address: Address, browser: httpx.AsyncClient, what: str
) -> None:
    origin = _origin(address)
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    if what == "wrong cookie":
        cookie = cookie[:-1] + ("A" if cookie[-1] != "A" else "B")
    headers = {"origin": "http://evil.example" if what == "other origin" else origin}
    if what != "no cookie":
        headers["cookie"] = cookie
    where = urlsplit(origin).netloc
    if what == "other host":
        where = where.replace("127.0.0.1", "localhost")
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with websockets.connect(
            f"ws://{where}/ws", additional_headers=headers, host="127.0.0.1"
        ):
            pass
    assert refused.value.response.status_code == 403


async def test_the_cookie_opens_a_websocket(address: Address, browser: httpx.AsyncClient) -> None:
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {"origin": _origin(address), "cookie": cookie}
    url = _origin(address).replace("http", "ws") + "/ws"
    async with websockets.connect(url, additional_headers=headers) as opened:
        assert opened.response is not None


async def test_it_listens_on_this_machine_alone(address: Address) -> None:
    for family, _, _, _, where in socket.getaddrinfo(socket.gethostname(), _port(address)):
        if str(where[0]).startswith("127."):
            continue
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.settimeout(2)
            assert probe.connect_ex(where) != 0


async def test_the_page_asks_nobody_else(browser: httpx.AsyncClient) -> None:
    for path in ("/", "/page.js", "/main.dart.mjs", "/assets/FontManifest.json"):
        answer = await browser.get(path)
        assert answer.status_code == 200, path
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "http" not in policy
        assert answer.headers["cross-origin-embedder-policy"] == "require-corp"
        assert "access-control-allow-origin" not in answer.headers
    fonts = json.loads((await browser.get("/assets/FontManifest.json")).content)
    for asset in [font["asset"] for family in fonts for font in family["fonts"]]:
        assert (await browser.get(f"/assets/{asset}")).status_code == 200


async def test_what_a_browser_has_is_not_sent_again(browser: httpx.AsyncClient) -> None:
    first = await browser.get("/main.dart.wasm")
    assert first.headers["content-type"] == "application/wasm"
    again = await browser.get("/main.dart.wasm", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert not again.content


@pytest.mark.parametrize(
    "path",
    ["/../app.py", "/%2e%2e/app.py", "/..%2fapp.py", "//etc/hosts.allow", "/fonts/../page.js"],
)
async def test_no_path_leads_out(address: Address, browser: httpx.AsyncClient, path: str) -> None:
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    with socket.create_connection(("127.0.0.1", _port(address)), timeout=5) as raw:
        raw.setblocking(False)
        await _ask(raw, f"GET {path} HTTP/1.0\r\nhost: {urlsplit(_origin(address)).netloc}\r\n"
                        f"cookie: {cookie}\r\n\r\n")  # fmt: skip
        answer = await _read(raw)
    assert b" 404 " in answer.splitlines()[0]


async def test_files_of_the_page_are_found_without_importing_flet(tmp_path: Path) -> None:
    assert (flet_files() / "main.dart.wasm").is_file()
    secret = tmp_path / "secret.txt"
    secret.write_text("nobody's")
    folder = tmp_path / "assets"
    folder.mkdir()
    (folder / "link.txt").symlink_to(secret)
    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/link.txt", "headers": []}
    await PageFiles([folder])(scope, send)
    assert sent[0]["status"] == 404


async def test_a_file_of_25_megabytes_arrives_once(
    browser: httpx.AsyncClient, uploads: PageUploads
) -> None:
    content = bytes(range(256)) * (25 << 12)
    arriving = uploads.expect(len(content))
    assert (await browser.get(arriving.path)).status_code == 405
    assert (await browser.put(arriving.path, content=content)).status_code == 200
    assert await arriving.content() == content
    assert (await browser.put(arriving.path, content=b"again")).status_code == 404


async def test_a_file_that_is_too_large_or_expected_by_nobody_is_not_taken(
    address: Address, browser: httpx.AsyncClient, uploads: PageUploads
) -> None:
    arriving = uploads.expect(1 << 20)
    assert (await browser.put(arriving.path, content=bytes(2 << 20))).status_code == 413
    with pytest.raises(Invalid, match="at most 1 MB"):
        await arriving.content()
    assert (await browser.put("/upload/guess", content=b"1")).status_code == 404
    async with httpx.AsyncClient(base_url=_origin(address)) as stranger:
        path = uploads.expect(9).path
        assert (await stranger.put(path, content=b"1")).status_code == 403


async def test_a_file_that_breaks_off_is_said(
    address: Address, browser: httpx.AsyncClient, uploads: PageUploads
) -> None:
    arriving = uploads.expect(100)
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    with socket.create_connection(("127.0.0.1", _port(address)), timeout=5) as raw:
        raw.setblocking(False)
        await _ask(raw, f"PUT {arriving.path} HTTP/1.1\r\ncookie: {cookie}\r\n"
                        f"host: {urlsplit(_origin(address)).netloc}\r\n"
                        "content-length: 100\r\n\r\nhalf")  # fmt: skip
    with pytest.raises(Unavailable, match="choose it again"):
        await asyncio.wait_for(arriving.content(), 10)


async def test_no_log_line_holds_a_token(
    address: Address, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG, "uvicorn")
    url = address("/")
    token = url.partition("token=")[2]
    async with httpx.AsyncClient() as client:
        await client.get(url)
        await client.get(url)
    ours = [record.getMessage() for record in caplog.records if "uvicorn" in record.name]
    said = "".join(ours) + "".join(capfd.readouterr())
    assert token not in said


async def test_the_port_of_last_time_may_be_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with serving(_nothing, ASSETS, PageUploads(), port) as address:
            assert _port(address) != port


def test_what_is_drawn_does_not_wait_until_what_was_drawn_before_is_acknowledged() -> None:
    with (
        web_page._listening(0) as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def _ask(raw: socket.socket, request: str) -> None:
    await asyncio.get_running_loop().sock_sendall(raw, request.encode())


async def _read(raw: socket.socket) -> bytes:
    found = b""
    while part := await asyncio.get_running_loop().sock_recv(raw, 65536):
        found += part
    return found
