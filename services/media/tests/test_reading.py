"""Files on their way out: to whom, with which headers, in which parts."""

import asyncio
import random
from uuid import uuid4

import pytest

from services.media.tests.stage import Member, Stage, open_stage, picture, problem
from sidetone.protocol.events import AccountClosed, Fact, ServerChanged, Services
from sidetone.protocol.files import File
from sidetone.protocol.ids import ChannelId, FactId, FileId, ServerId
from sidetone.protocol.questions import ClaimFiles
from sidetone.storage.files import Stored
from sidetone.storage.files_folder import FolderFiles
from tests.waiting import until

WORDS = random.Random(1).randbytes(700_000)


async def shared(stage: Stage, owner: Member, *readers: Member) -> tuple[File, ChannelId]:
    """Return an attachment of *owner* in a channel of all."""
    channel = stage.channel(owner, *readers)
    file = await owner.upload(WORDS, name="wörds.bin")
    await stage.around.bus.ask(ClaimFiles(owner.id, "attachment", [file.id], channel))
    return file, channel


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=300000-650000", 300_000, 650_001),
        ("bytes=699990-", 699_990, 700_000),
        ("bytes=-5", 699_995, 700_000),
        ("bytes=0-99999999", 0, 700_000),
    ],
)
async def test_a_part_is_handed_out(stage: Stage, header: str, start: int, end: int) -> None:
    ada = stage.user()
    file, _ = await shared(stage, ada)
    answer = await ada.read(file.id, range=header)
    assert answer.content == WORDS[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/700000"
    assert answer.headers["content-length"] == str(end - start)


async def test_a_part_is_called_one(embedded: Stage) -> None:
    ada = embedded.user()
    file, _ = await shared(embedded, ada)
    assert (await ada.read(file.id, range="bytes=1-2")).status_code == 206


@pytest.mark.parametrize(
    "header",
    ["bytes=700000-", "bytes=5-2", "bytes=-0", "bytes=-", "bytes=0-1,4-5", "lines=1-2", "x"],
)
async def test_a_part_that_makes_no_sense_is_the_whole(embedded: Stage, header: str) -> None:
    ada = embedded.user()
    file, _ = await shared(embedded, ada)
    answer = await ada.read(file.id, range=header)
    assert (answer.status_code, answer.content) == (200, WORDS)


async def test_a_file_is_cached_by_who_may_read_it_and_by_nobody_between(embedded: Stage) -> None:
    ada = embedded.user()
    file, _ = await shared(embedded, ada)
    answer = await ada.read(file.id)
    assert answer.headers["cache-control"].startswith("private,")
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''w%C3%B6rds.bin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    again = await ada.read(file.id, **{"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = await embedded.client.head(f"/media/files/{file.id}", headers=ada.headers)
    assert (head.status_code, head.headers["content-length"]) == (200, "700000")


async def test_a_bucket_hands_out_by_itself_with_our_headers() -> None:
    async with open_stage("distributed") as stage:
        ada = stage.user()
        file, _ = await shared(stage, ada)
        answer = await stage.client.get(f"/media/files/{file.id}", headers=ada.headers)
        assert answer.status_code == 302
        assert answer.headers["cache-control"] == "no-store"
        direct = await stage.client.get(answer.headers["location"])
        assert direct.content == WORDS


class VanishingFiles(FolderFiles):
    """Loses a file right after it was found; a sweep does that to who reads at that moment."""

    async def stat(self, key: str) -> Stored | None:
        found = await super().stat(key)
        if key.startswith("kept/") and self.losing:
            await self.remove([key])
        return found

    losing = False


async def test_a_file_that_goes_while_it_is_looked_up_is_refused_like_one_that_was_gone() -> None:
    async with open_stage(folder_files=VanishingFiles) as stage:
        ada = stage.user()
        file, _ = await shared(stage, ada)
        assert isinstance(stage.files, VanishingFiles)
        stage.files.losing = True
        assert problem(await ada.read(file.id)) == (404, "file_unknown")


class TestSight:
    async def test_chat_is_asked_once_in_a_while(self, embedded: Stage) -> None:
        ada = embedded.user()
        file, channel = await shared(embedded, ada)
        for _ in range(5):
            assert (await ada.read(file.id)).status_code == 200
        assert embedded.asked == 1
        embedded.sights.discard((ada.id, channel))
        embedded.clock.ahead_ms += 10_001
        assert problem(await ada.read(file.id)) == (404, "file_unknown")
        assert embedded.asked == 2
        embedded.sights.add((ada.id, channel))
        assert (await ada.read(file.id)).status_code == 200

    async def test_a_channel_without_sight_hides_the_preview_too(self, embedded: Stage) -> None:
        ada, ben = embedded.user(), embedded.user()
        file = await ada.upload(picture(), "image/png")
        claim = ClaimFiles(ada.id, "attachment", [file.id], embedded.channel(ada))
        await embedded.around.bus.ask(claim)
        assert (await ada.read(file.id, "/preview")).status_code == 200
        assert problem(await ben.read(file.id, "/preview")) == (404, "file_unknown")

    async def test_what_is_no_picture_has_no_preview(self, embedded: Stage) -> None:
        ada = embedded.user()
        file, _ = await shared(embedded, ada)
        assert problem(await ada.read(file.id, "/preview")) == (404, "file_unknown")

    async def test_an_upload_is_no_file_yet(self, embedded: Stage) -> None:
        ada = embedded.user()
        ticket = await ada.announce(WORDS)
        await ada.put(ticket, WORDS)
        assert problem(await ada.read(ticket.id)) == (404, "file_unknown")
        assert problem(await ada.read(FileId(uuid4()))) == (404, "file_unknown")


class TestFacts:
    async def test_a_closed_account_leaves_its_messages_files_and_nothing_else(
        self, stage: Stage
    ) -> None:
        ada, ben = stage.user(), stage.user()
        file, _ = await shared(stage, ada, ben)
        avatar = await ada.upload(picture(), "image/png", "avatar")
        await stage.around.bus.ask(ClaimFiles(ada.id, "avatar", [avatar.id]))
        unused = await ada.upload(WORDS)
        others = await ben.upload(picture(), "image/png", "avatar")
        closed = Fact(FactId(uuid4()), Services(), AccountClosed(ada.id))
        await stage.around.journal.record([closed])

        await until(lambda: ben.finds_nothing(avatar.id))
        assert await ada.finds_nothing(unused.id)
        assert (await ben.read(file.id)).content == WORDS
        assert (await ben.read(others.id)).status_code == 200

    async def test_the_files_of_a_thread_that_is_put_away_stay(self, embedded: Stage) -> None:
        ada, ben = embedded.user(), embedded.user()
        file, channel = await shared(embedded, ada)
        unused = await ben.upload(WORDS)
        put_away = ServerChanged(ServerId(uuid4()), 2, gone=[channel])
        for event in (put_away, AccountClosed(ben.id)):
            await embedded.around.journal.record([Fact(FactId(uuid4()), Services(), event)])

        await until(lambda: ben.finds_nothing(unused.id))
        assert (await ada.read(file.id)).content == WORDS


async def test_many_read_at_once(stage: Stage) -> None:
    ada = stage.user()
    file, _ = await shared(stage, ada)
    answers = await asyncio.gather(*(ada.read(file.id) for _ in range(20)))
    assert {answer.content == WORDS for answer in answers} == {True}
