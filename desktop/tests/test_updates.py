"""What is believed about newer versions, and what is not."""

import asyncio
import base64
import json
import ssl
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl import bindings

from sidetone.desktop.application.look_for_updates import Installation, LookForUpdates
from sidetone.desktop.domain.topics import Topic, Topics
from sidetone.desktop.domain.updates import (
    SIZE_MAX,
    Manifest,
    Package,
    Version,
    newest,
    offer,
    opened,
    sealed,
)
from sidetone.desktop.infrastructure.updates_http import (
    SeenVersionFile,
    UpdatesHttp,
    installation,
    platform_name,
    read_release,
    release,
)
from sidetone.protocol.refusals import Invalid, Unavailable
from sidetone.runtime.tls import Identity

ROOT = Path(__file__).parents[2]
SEED, OTHER_SEED = bytes(range(32)), bytes(32)
KEY = bindings.crypto_sign_seed_keypair(SEED)[0]
NOW_MS = 1_800_000_000_000
PACKAGE = Package("https://example.org/sidetone.tar.gz", "ab" * 32, 1_000)
PACKAGES = {"linux-x86_64": PACKAGE}


def manifest(
    version: str = "2.0.0", minimum: str = "1.0.0", expires_ms: int = NOW_MS + 1
) -> Manifest:
    return Manifest(version, minimum, expires_ms, PACKAGES, "Faster.")


FILE = sealed(manifest(), SEED)
versions = st.builds(Version, *[st.integers(0, 999_999_999)] * 3)


def test_what_was_signed_is_read() -> None:
    assert opened(FILE, KEY) == manifest()
    assert sealed(manifest(), SEED) == FILE


@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
def test_no_byte_can_be_changed(place: int, change: int) -> None:
    changed = bytearray(FILE)
    changed[place] ^= change
    with pytest.raises(Invalid):
        opened(bytes(changed), KEY)


@given(st.integers(0, len(FILE) - 1))
def test_nothing_can_be_cut_off(length: int) -> None:
    with pytest.raises(Invalid):
        opened(FILE[:length], KEY)


@given(st.binary(max_size=300))
def test_nothing_can_be_added_and_no_garbage_is_read(more: bytes) -> None:
    for file in (more, FILE + more + b" ", FILE[: FILE.index(b"\n") + 1] + more):
        with pytest.raises(Invalid):
            opened(file, KEY)


def test_another_key_is_not_believed() -> None:
    with pytest.raises(Invalid):
        opened(sealed(manifest(), OTHER_SEED), KEY)


def test_a_signature_of_something_else_by_the_same_key_is_not_believed() -> None:
    _, format_line, payload = FILE.partition(b"sidetone update manifest 1\n")
    payload = payload.partition(b"\n")[2]
    _, secret_key = bindings.crypto_sign_seed_keypair(SEED)
    signature = bindings.crypto_sign(payload, secret_key)[:64]
    with pytest.raises(Invalid):
        opened(format_line + base64.b64encode(signature) + b"\n" + payload, KEY)


@pytest.mark.parametrize(
    "wrong",
    [
        manifest(version="2.0"),
        manifest(version="2.0.0-beta"),
        Manifest("2.0.0", "1.0.0", 1, {"linux": Package("http://plain.org/x", "ab" * 32, 1)}),
        Manifest("2.0.0", "1.0.0", 1, {"linux": Package("https://example.org/x", "ab", 1)}),
        Manifest("2.0.0", "1.0.0", 1, {"linux": Package("https://example.org/x", "ab" * 32, 0)}),
        Manifest("2.0.0", "1.0.0", 1, PACKAGES, "x" * 3_000),
        Manifest("2.0.0", "1.0.0", 1, PACKAGES, "x" * SIZE_MAX),
    ],
)
def test_a_signed_manifest_that_makes_no_sense_is_refused(wrong: Manifest) -> None:
    with pytest.raises(Invalid):
        opened(sealed(wrong, SEED), KEY)


@given(versions)
def test_a_version_has_one_spelling(version: Version) -> None:
    assert Version.read(str(version)) == version


@pytest.mark.parametrize("text", ["", "1.0", "01.0.0", "1.0.0 ", "1.0.0.0", "1.0.-1", "1.0.x"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        Version.read(text)


@given(versions, versions)
def test_versions_never_go_back(named: Version, seen: Version) -> None:
    told = manifest(version=str(named))
    if named < seen:
        with pytest.raises(Invalid, match="older"):
            newest(told, seen, NOW_MS)
    else:
        assert newest(told, seen, NOW_MS) == named


def test_a_manifest_that_has_ended_says_nothing() -> None:
    with pytest.raises(Unavailable, match="clock"):
        newest(manifest(), Version(0, 0, 0), NOW_MS + 1)


@given(versions, versions, versions)
def test_only_a_newer_version_is_offered(named: Version, least: Version, here: Version) -> None:
    made = offer(manifest(str(named), str(least)), here, "linux-x86_64")
    assert (made is not None) == (named > here)
    if made is not None:
        assert made.urgent == (here < least)
        assert str(named) in made.text
        assert made.package == PACKAGE


def test_where_there_is_no_package_nothing_is_offered() -> None:
    assert offer(manifest(), Version(1, 0, 0), "windows-x86_64") is None


# --- looking ---


class Source:
    def __init__(self, file: bytes) -> None:
        self.file = file

    async def fetch(self) -> bytes:
        if not self.file:
            raise Unavailable("away", "the update server is away")
        return self.file


class Clock:
    def now_ms(self) -> int:
        return NOW_MS

    def new_id(self) -> UUID:
        raise NotImplementedError


Look = Callable[[], LookForUpdates]


@pytest.fixture
def source() -> Source:
    return Source(FILE)


@pytest.fixture
def told() -> list[Topics]:
    return []


@pytest.fixture
def look(source: Source, told: list[Topics], tmp_path: Path) -> Look:
    here = Installation(Version(1, 0, 0), "linux-x86_64", KEY)
    seen = SeenVersionFile(tmp_path / "seen")
    return lambda: LookForUpdates(here, source, seen, Clock(), told.append)


async def test_a_newer_version_is_told(look: Look, told: list[Topics]) -> None:
    looking = look()
    await looking()
    assert looking.offer is not None
    assert looking.offer.version == Version(2, 0, 0)
    assert told == [frozenset({Topic("updates")})]


async def test_an_old_manifest_is_not_believed_after_a_restart(look: Look, source: Source) -> None:
    await look()()
    source.file = sealed(manifest(version="1.5.0"), SEED)
    again = look()
    await again()
    assert again.offer is None
    assert "older" in again.problem
    source.file = sealed(manifest(version="2.0.0"), SEED)
    await again()
    assert again.problem == ""
    assert again.offer is not None


async def test_a_manifest_older_than_what_is_installed_is_not_believed(
    look: Look, source: Source
) -> None:
    source.file = sealed(manifest(version="0.9.0", minimum="0.1.0"), SEED)
    looking = look()
    await looking()
    assert "older" in looking.problem


async def test_what_was_offered_stays_while_the_server_is_away(look: Look, source: Source) -> None:
    looking = look()
    await looking()
    source.file = b""
    await looking()
    assert looking.offer is not None
    assert looking.problem == "the update server is away"


async def test_nobody_is_asked_who_was_not_wanted(look: Look, told: list[Topics]) -> None:
    looking = look()
    asked = asyncio.Event()

    def wanted() -> bool:
        asked.set()
        return False

    task = asyncio.create_task(looking.run(wanted))
    await asked.wait()
    task.cancel()
    assert told == []


def test_a_damaged_memory_of_versions_counts_as_none(tmp_path: Path) -> None:
    for damage in (b"", b"\xff", b"2.0"):
        (tmp_path / "seen").write_bytes(damage)
        assert SeenVersionFile(tmp_path / "seen").load() == Version(0, 0, 0)
    with pytest.raises(Unavailable):
        SeenVersionFile(tmp_path / "nowhere" / "seen").save(Version(1, 0, 0))


# --- fetching ---


@asynccontextmanager
async def serving(folder: Path, answer: bytes) -> AsyncIterator[tuple[str, ssl.SSLContext]]:
    """Answer every request over TLS with *answer*, and give the URL and what trusts it."""
    identity = Identity.open(folder, ["127.0.0.1"], NOW_MS)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(identity.certificate_file, identity.key_file)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    trusts = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusts.check_hostname, trusts.verify_mode = False, ssl.CERT_NONE
    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=served) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"https://127.0.0.1:{port}/update.manifest", trusts


def http(status: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def test_a_manifest_is_fetched(tmp_path: Path) -> None:
    async with serving(tmp_path, http("200 OK", FILE)) as (url, trusts):
        assert await UpdatesHttp(url, trusts).fetch() == FILE
        with pytest.raises(Unavailable):
            await UpdatesHttp(url).fetch()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        http("404 Not Found", b""),
        http("302 Found\r\nLocation: http://127.0.0.1:1/", b""),
        http("200 OK", b"x" * (SIZE_MAX + 1)),
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort",
    ],
)
async def test_another_answer_is_no_manifest(tmp_path: Path, answer: bytes) -> None:
    async with serving(tmp_path, answer) as (url, trusts):
        with pytest.raises(Unavailable) as caught:
            await UpdatesHttp(url, trusts).fetch()
    assert "\n" not in caught.value.detail


def test_a_checkout_looks_for_nothing_and_a_release_knows_its_key() -> None:
    assert release() is None
    key = base64.b64encode(KEY).decode()
    written = json.dumps({"manifest_url": "https://example.org/m", "public_key": key})
    here = installation(read_release(written.encode()))
    assert here.public_key == KEY
    assert here.platform == platform_name()
    for wrong in ("", "{}", written.replace("https", "http"), written.replace(key, "AAAA")):
        with pytest.raises(Invalid):
            read_release(wrong.encode())


# --- signing ---


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "infra" / "scripts" / "sign_manifest.py"), *arguments],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        env=environment,
    )


def test_a_release_is_signed_and_read(tmp_path: Path) -> None:
    key, package, file = tmp_path / "key", tmp_path / "sidetone.tar.gz", tmp_path / "manifest"
    package.write_bytes(b"the client")
    public = run("new-key", str(key))
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert run("new-key", str(key)).returncode != 0
    wish = ["sign", str(file), "--version", "1.2.0", "--minimum", "1.0.0"]
    wish += ["--package", "linux-x86_64", str(package), "https://example.org/s.tar.gz"]
    signed = run(*wish, SIDETONE_RELEASE_KEY_FILE=str(key))
    assert signed.returncode == 0, signed.stderr
    read = opened(file.read_bytes(), base64.b64decode(public.stdout))
    assert read.version == "1.2.0"
    assert read.packages["linux-x86_64"].size == len(b"the client")
    secret = key.read_text().strip()
    assert secret not in signed.stdout + signed.stderr + public.stdout
    for wrong in (
        run(*wish),
        run(*wish, SIDETONE_RELEASE_KEY="short"),
        run(*wish, "--minimum", "1.3.0", SIDETONE_RELEASE_KEY=secret),
        run(*wish, "--version", "1.2", SIDETONE_RELEASE_KEY=secret),
        run(*wish, "--package", "x", str(package), "http://x", SIDETONE_RELEASE_KEY=secret),
    ):
        assert wrong.returncode == 1
        assert len(wrong.stderr.splitlines()) == 1
        assert secret not in wrong.stderr
