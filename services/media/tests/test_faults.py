"""What happens when something is away or dies half-way: nothing is lost, nothing is half there."""

import asyncio
import struct
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from services.media.tests.stage import Stage, open_stage, picture, problem
from sidetone.media.app import Policy
from sidetone.media.infrastructure.contents import StoredContents
from sidetone.media.infrastructure.scanners import ClamScanner
from sidetone.media.infrastructure.sql import SqlHoldings
from sidetone.protocol.refusals import Invalid, Unavailable
from sidetone.runtime.start import StartError
from sidetone.storage.files_folder import FolderFiles

EICAR = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE"


class Clamd:
    """Speaks the protocol of clamd, and knows one virus."""

    def __init__(self) -> None:
        self.says: bytes | None = None
        self.seen = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            assert await reader.readexactly(10) == b"zINSTREAM\0"
            content = b""
            while size := struct.unpack(">I", await reader.readexactly(4))[0]:
                content += await reader.readexactly(size)
            self.seen = content
            infected = b"stream: Eicar-Signature FOUND\0"
            writer.write(self.says or (infected if EICAR in content else b"stream: OK\0"))
            await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def open_clamd(path: Path) -> AsyncGenerator[Clamd]:
    clamd = Clamd()
    server = await asyncio.start_unix_server(clamd.serve, path)
    try:
        yield clamd
    finally:
        server.close()
        await asyncio.to_thread(path.unlink)


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


class TestScanner:
    async def test_what_the_scanner_knows_is_refused_for_good(self, tmp_path: Path) -> None:
        policy = Policy(clamd=str(tmp_path / "clamd"))
        async with open_clamd(tmp_path / "clamd") as clamd, open_stage(policy=policy) as stage:
            ada = stage.user()
            content = b"x" * 300_000 + EICAR
            ticket = await ada.announce(content)
            await ada.put(ticket, content)
            assert problem(await ada.complete(ticket.id)) == (422, "file_infected")
            assert problem(await ada.complete(ticket.id)) == (404, "file_unknown")
            assert clamd.seen == content
            assert (await ada.bring(b"harmless")).status_code == 200

    async def test_without_a_verdict_a_file_waits_in_quarantine(self, tmp_path: Path) -> None:
        policy = Policy(clamd=str(tmp_path / "clamd"))
        async with open_stage(policy=policy) as stage:
            ada = stage.user()
            ticket = await ada.announce(b"harmless")
            await ada.put(ticket, b"harmless")
            answer = await ada.complete(ticket.id)
            assert problem(answer) == (503, "scanner_unavailable")
            assert int(answer.headers["retry-after"]) >= 1
            assert (await ada.read(ticket.id)).status_code == 404
            async with open_clamd(tmp_path / "clamd") as clamd:
                clamd.says = b"INSTREAM size limit exceeded. ERROR\0"
                assert problem(await ada.complete(ticket.id)) == (503, "scanner_unavailable")
                clamd.says = None
                assert (await ada.complete(ticket.id)).status_code == 200

    async def test_a_scanner_over_the_network_is_asked_alike(self) -> None:
        clamd = Clamd()
        server = await asyncio.start_server(clamd.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        scanner = ClamScanner(f"127.0.0.1:{port}")
        await scanner.scan(pieces(b"harmless", b" words"))
        assert clamd.seen == b"harmless words"
        with pytest.raises(Invalid):
            await scanner.scan(pieces(EICAR))
        server.close()
        await server.wait_closed()
        with pytest.raises(Unavailable):
            await scanner.scan(pieces(b"x"))

    def test_a_place_that_is_none_is_told_at_the_start(self) -> None:
        for place in ("", "clamd", ":3310", "host:", "host:x"):
            with pytest.raises(StartError, match="no place of clamd"):
                ClamScanner(place)


class TestBrokenOff:
    async def test_a_check_that_died_is_repeated_when_its_time_is_over(self, stage: Stage) -> None:
        ada = stage.user()
        content = picture()
        ticket = await ada.announce(content, "image/png")
        await ada.put(ticket, content)
        holdings = SqlHoldings(stage.around.database)
        now_ms = stage.clock.now_ms()
        assert await holdings.begin_check(ticket.id, now_ms, now_ms + 60_000)
        # It died after it took the bytes in.
        holding = await holdings.find(ticket.id)
        assert await StoredContents(stage.files, "").take_in(holding) == len(content)
        assert problem(await ada.complete(ticket.id)) == (409, "upload_being_checked")
        stage.clock.ahead_ms = 61_000
        assert (await ada.complete(ticket.id)).status_code == 200

    async def test_a_check_that_was_overtaken_makes_nothing_ready(self, stage: Stage) -> None:
        ada = stage.user()
        ticket = await ada.announce(b"content")
        holdings = SqlHoldings(stage.around.database)
        now_ms = stage.clock.now_ms()
        assert await holdings.begin_check(ticket.id, now_ms - 20, now_ms - 10)
        assert await holdings.begin_check(ticket.id, now_ms, now_ms + 10)
        holding = await holdings.find(ticket.id)
        assert not await holdings.finish_check(holding, now_ms - 10)
        assert await holdings.finish_check(holding, now_ms + 10)

    async def test_a_caller_that_leaves_during_the_check_can_ask_again(
        self, tmp_path: Path
    ) -> None:
        asked = asyncio.Event()

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.set()
            await reader.read()
            writer.close()

        server = await asyncio.start_unix_server(silent, tmp_path / "clamd")
        policy = Policy(clamd=str(tmp_path / "clamd"))
        async with open_stage(policy=policy) as stage:
            ada = stage.user()
            ticket = await ada.announce(b"harmless")
            await ada.put(ticket, b"harmless")
            leaving = asyncio.create_task(ada.complete(ticket.id))
            await asked.wait()
            server.close()
            leaving.cancel()
            await asyncio.wait([leaving])
            (tmp_path / "clamd").unlink(missing_ok=True)
            stage.clock.ahead_ms = 4 * 60_000
            async with open_clamd(tmp_path / "clamd"):
                assert (await ada.complete(ticket.id)).status_code == 200


async def test_a_store_that_is_away_is_told_and_a_retry_succeeds(embedded: Stage) -> None:
    assert isinstance(embedded.files, FolderFiles)
    folder = embedded.files._folder
    ada = embedded.user()
    ticket = await ada.announce(b"content")
    await asyncio.to_thread((folder / "quarantine").write_text, "in the way")
    answer = await ada.put(ticket, b"content")
    assert problem(answer) == (503, "files_unavailable")
    await asyncio.to_thread((folder / "quarantine").unlink)
    assert (await ada.put(ticket, b"content")).status_code == 204
    assert (await ada.complete(ticket.id)).status_code == 200
