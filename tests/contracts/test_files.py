"""What every store of files promises, in a folder and in a bucket."""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import httpx
import pytest

from sidetone.protocol.refusals import Invalid, NotFound, Unavailable
from sidetone.storage import StorageError
from sidetone.storage.files import Files
from sidetone.storage.files_folder import FolderFiles
from sidetone.storage.files_s3 import Bucket, S3Files
from tests import engines

FilesKind = Literal["folder", "s3"]
KINDS = ["folder", "s3"]
_numbers = count(1)


@asynccontextmanager
async def open_files(kind: FilesKind) -> AsyncGenerator[Files]:
    if kind == "folder":
        with tempfile.TemporaryDirectory(prefix="sidetone-") as folder:
            yield FolderFiles(Path(folder) / "files")
        return
    files = await S3Files.open(bucket())
    try:
        yield files
    finally:
        await files.close()


def bucket() -> Bucket:
    url = urlsplit(engines.s3_url())
    assert url.username is not None
    assert url.password is not None
    place = f"{url.scheme}://{url.hostname}:{url.port}"
    return Bucket(place, f"test-{os.getpid()}-{next(_numbers)}", url.username, url.password)


async def pieces_of(content: bytes, piece_bytes: int = 1000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), piece_bytes):
        yield content[start : start + piece_bytes]


async def put(files: Files, key: str, content: bytes) -> None:
    await files.write(key, pieces_of(content), len(content), "application/octet-stream")


async def got(files: Files, key: str, start: int = 0, length: int | None = None) -> bytes:
    return b"".join([piece async for piece in files.read(key, start, length)])


@pytest.fixture(params=KINDS)
async def files(request: pytest.FixtureRequest) -> AsyncGenerator[Files]:
    async with open_files(request.param) as opened:
        yield opened


async def test_what_was_written_is_read_back(files: Files) -> None:
    content = os.urandom(1_000_000)
    before_ms = int(time.time() * 1000)
    await put(files, "kept/a", content)
    assert await got(files, "kept/a") == content
    stored = await files.stat("kept/a")
    assert stored is not None
    assert (stored.key, stored.size_bytes) == ("kept/a", len(content))
    assert abs(stored.written_at_ms - before_ms) < 60_000


async def test_a_part_is_read(files: Files) -> None:
    content = os.urandom(700_000)
    await put(files, "kept/a", content)
    for start, length in [(0, 10), (5, 0), (300_000, 350_000), (699_999, 50), (1, None)]:
        end = None if length is None else start + length
        assert await got(files, "kept/a", start, length) == content[start:end]


async def test_an_empty_file_is_a_file(files: Files) -> None:
    await put(files, "kept/empty", b"")
    assert await got(files, "kept/empty") == b""


async def test_the_later_content_takes_the_place_of_the_earlier(files: Files) -> None:
    await put(files, "kept/a", b"one, and longer")
    await put(files, "kept/a", b"two")
    assert await got(files, "kept/a") == b"two"


@pytest.mark.parametrize("announced", [0, 4, 6])
async def test_a_wrong_size_is_refused_and_nothing_is_kept(files: Files, announced: int) -> None:
    with pytest.raises(Invalid) as refused:
        await files.write("kept/a", pieces_of(b"five!"), announced, "text/plain")
    assert refused.value.code == "file_size_wrong"
    assert await files.stat("kept/a") is None


async def test_a_failed_write_leaves_the_old_content(files: Files) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"new"
        raise ConnectionResetError

    await put(files, "kept/a", b"old")
    with pytest.raises(ConnectionResetError):
        await files.write("kept/a", broken(), 100, "text/plain")
    assert await got(files, "kept/a") == b"old"


async def test_what_is_not_there_is_not_found(files: Files) -> None:
    assert await files.stat("kept/none") is None
    with pytest.raises(NotFound) as refused:
        await got(files, "kept/none")
    assert refused.value.code == "file_unknown"
    with pytest.raises(NotFound):
        await files.move("kept/none", "kept/other")


async def test_a_moved_file_is_only_where_it_went(files: Files) -> None:
    await put(files, "quarantine/a", b"content")
    await put(files, "kept/a", b"something before")
    await files.move("quarantine/a", "kept/a")
    assert await files.stat("quarantine/a") is None
    assert await got(files, "kept/a") == b"content"


async def test_many_are_removed_and_the_absent_are_left_out(files: Files) -> None:
    for name in ("a", "b", "c"):
        await put(files, f"kept/{name}", b"x")
    await files.remove(["kept/a", "kept/none", "kept/c"])
    await files.remove([])
    assert [stored.key for stored in await files.under("kept/", 10)] == ["kept/b"]


async def test_a_folder_is_listed_in_order_and_bounded(files: Files) -> None:
    for name in ("c", "a", "b"):
        await put(files, f"kept/{name}", name.encode() * 3)
    await put(files, "quarantine/z", b"x")
    listed = await files.under("kept/", 2)
    assert [(stored.key, stored.size_bytes) for stored in listed] == [("kept/a", 3), ("kept/b", 3)]
    rest = await files.under("kept/", 10, listed[-1].key)
    everything = await files.under("kept/", 10)
    assert [*listed, *rest] == everything
    assert await files.under("kept/", 10, everything[-1].key) == []
    assert await files.under("nothing/", 2) == []


async def test_many_write_at_once(files: Files) -> None:
    contents = {f"kept/{number}": os.urandom(50_000) for number in range(20)}
    await asyncio.gather(*(put(files, key, content) for key, content in contents.items()))
    for key, content in contents.items():
        assert await got(files, key) == content


@pytest.mark.parametrize("key", ["../etc/passwd", "/etc/passwd", "a/../b", "a//b", "", ".x", "A"])
async def test_a_key_that_means_another_place_is_a_bug(files: Files, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        await put(files, key, b"x")
    with pytest.raises(ValueError, match="not a key"):
        await got(files, key)
    with pytest.raises(ValueError, match="not a key"):
        await files.remove([key])


class TestInABucket:
    """What only a store with doors of its own can do."""

    @pytest.fixture
    async def files(self) -> AsyncGenerator[Files]:
        async with open_files("s3") as opened:
            yield opened

    async def test_a_signed_upload_takes_what_was_announced(self, files: Files) -> None:
        signed = await files.sign_upload("quarantine/a", "text/plain", 5, 60)
        assert signed is not None
        async with httpx.AsyncClient() as client:
            answer = await client.put(signed.url, content=b"hello", headers=dict(signed.headers))
        assert answer.status_code == 200
        assert await got(files, "quarantine/a") == b"hello"

    @pytest.mark.parametrize(
        ("content", "media_type"),
        [(b"hello, and more", "text/plain"), (b"", "text/plain"), (b"hello", "text/html")],
    )
    async def test_a_signed_upload_takes_nothing_else(
        self, files: Files, content: bytes, media_type: str
    ) -> None:
        signed = await files.sign_upload("quarantine/a", "text/plain", 5, 60)
        assert signed is not None
        async with httpx.AsyncClient() as client:
            answer = await client.put(
                signed.url, content=content, headers={"content-type": media_type}
            )
        assert answer.status_code == 403
        assert await files.stat("quarantine/a") is None

    async def test_a_signed_upload_is_for_one_key(self, files: Files) -> None:
        signed = await files.sign_upload("quarantine/a", "text/plain", 5, 60)
        assert signed is not None
        url = signed.url.replace("quarantine/a", "kept/a")
        async with httpx.AsyncClient() as client:
            answer = await client.put(url, content=b"hello", headers=dict(signed.headers))
        assert answer.status_code == 403

    async def test_a_signed_download_gives_the_file_out(self, files: Files) -> None:
        await put(files, "kept/a", b"hello")
        url = await files.sign_download("kept/a", "text/plain", 'attachment; filename="a.txt"', 60)
        assert url is not None
        async with httpx.AsyncClient() as client:
            answer = await client.get(url)
            without_signature = await client.get(url.partition("?")[0])
        assert (answer.status_code, answer.content) == (200, b"hello")
        assert without_signature.is_client_error

    async def test_a_store_that_is_away_is_unavailable(self) -> None:
        place = Bucket("http://127.0.0.1:9", "none", "key", "secret")
        with pytest.raises(StorageError, match="cannot open bucket none"):
            await S3Files.open(place)


class TestInAFolder:
    """What only a folder can go wrong with."""

    async def test_a_half_written_file_is_seen_by_nobody(self, tmp_path: Path) -> None:
        files = FolderFiles(tmp_path)
        half, whole = asyncio.Event(), asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield b"x" * 300_000
            half.set()
            await whole.wait()
            yield b"y"

        writing = asyncio.create_task(files.write("kept/a", slow(), 300_001, "text/plain"))
        await half.wait()
        assert await files.stat("kept/a") is None
        assert await files.under("kept/", 10) == []
        whole.set()
        await writing
        assert await files.stat("kept/a") is not None

    async def test_drafts_of_a_killed_process_go_after_a_day(self, tmp_path: Path) -> None:
        FolderFiles(tmp_path)
        old, young = tmp_path / ".drafts" / "old", tmp_path / ".drafts" / "young"
        for draft in (old, young):
            draft.write_bytes(b"half")
        os.utime(old, (0, 0))
        FolderFiles(tmp_path)
        assert (old.exists(), young.exists()) == (False, True)

    async def test_nothing_is_left_of_a_refused_write(self, tmp_path: Path) -> None:
        files = FolderFiles(tmp_path)
        with pytest.raises(Invalid):
            await files.write("kept/a", pieces_of(b"12345"), 4, "text/plain")
        assert list((tmp_path / ".drafts").iterdir()) == []
        assert await files.stat("kept/a") is None

    async def test_a_place_that_cannot_be_a_folder_is_told_at_the_start(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(StorageError, match="cannot keep files in"):
            FolderFiles(tmp_path / "file")

    async def test_a_disk_that_fails_is_unavailable(self, tmp_path: Path) -> None:
        files = FolderFiles(tmp_path)
        (tmp_path / "kept").write_text("a file where a folder must be")
        with pytest.raises(Unavailable) as refused:
            await put(files, "kept/a", b"x")
        assert refused.value.code == "files_unavailable"


async def test_processes_that_start_together_share_a_bucket_that_was_not_there() -> None:
    place = bucket()
    opened = await asyncio.gather(*(S3Files.open(place) for _ in range(8)))
    for files in opened:
        await files.close()
