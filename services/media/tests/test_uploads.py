"""Files on their way in: what is taken, what is refused, and who may do what with it."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import msgspec
import pytest

from services.media.tests.stage import HOUR_MS, Stage, open_stage, picture, problem
from sidetone.media.app import Policy
from sidetone.media.application.ports import Quota
from sidetone.protocol.files import File, StartUpload
from sidetone.protocol.ids import FileId
from sidetone.protocol.questions import ClaimFiles, DropFiles
from sidetone.protocol.refusals import Conflict, Invalid, NotFound
from sidetone.runtime.limits import Limit
from tests.waiting import until

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + b"x" * 3000


async def test_an_upload_becomes_a_file_that_its_channel_may_read(stage: Stage) -> None:
    ada, ben, stranger = stage.user(), stage.user(), stage.user()
    channel = stage.channel(ada, ben)
    file = await ada.upload(PDF, "application/pdf", name="report.pdf")
    assert file == File(file.id, "report.pdf", "application/pdf", len(PDF))
    assert problem(await ben.read(file.id)) == (404, "file_unknown")
    claimed = await stage.around.bus.ask(ClaimFiles(ada.id, "attachment", [file.id], channel))
    assert claimed == [file]
    for member in (ada, ben):
        answer = await member.read(file.id)
        assert (answer.status_code, answer.content) == (200, PDF)
        assert answer.headers["content-type"].startswith("application/pdf")
        assert answer.headers["content-disposition"].startswith("attachment;")
    assert problem(await stranger.read(file.id)) == (404, "file_unknown")


async def test_pictures_that_everybody_sees_are_read_by_everybody(stage: Stage) -> None:
    ada, stranger = stage.user(), stage.user()
    file = await ada.upload(picture(), "image/png", "avatar")
    assert problem(await stranger.read(file.id)) == (404, "file_unknown")
    await stage.around.bus.ask(ClaimFiles(ada.id, "avatar", [file.id]))
    answer = await stranger.read(file.id)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"].startswith("inline;")
    assert (await stage.client.get(f"/media/files/{file.id}")).status_code == 401


async def test_completing_twice_is_the_same_file(stage: Stage) -> None:
    ada = stage.user()
    ticket = await ada.announce(PDF, "application/pdf")
    await ada.put(ticket, PDF)
    first, second = await asyncio.gather(ada.complete(ticket.id), ada.complete(ticket.id))
    answers = {first.status_code, second.status_code}
    assert answers <= {200, 409}
    assert 200 in answers
    third = await ada.complete(ticket.id)
    done = first if first.status_code == 200 else second
    assert (third.status_code, third.content) == (200, done.content)


async def test_an_upload_without_bytes_can_be_completed_later(stage: Stage) -> None:
    ada = stage.user()
    ticket = await ada.announce(PDF)
    assert problem(await ada.complete(ticket.id)) == (409, "upload_incomplete")
    await ada.put(ticket, PDF)
    assert (await ada.complete(ticket.id)).status_code == 200


async def test_the_upload_of_another_does_not_exist(stage: Stage) -> None:
    ada, mallory = stage.user(), stage.user()
    ticket = await ada.announce(PDF)
    await ada.put(ticket, PDF)
    assert problem(await mallory.complete(ticket.id)) == (404, "file_unknown")
    assert problem(await mallory.complete(FileId(uuid4()))) == (404, "file_unknown")
    assert (await ada.complete(ticket.id)).status_code == 200


@pytest.mark.parametrize("content", [b"", PDF[:-1], PDF + b"x"])
async def test_a_lie_about_the_length_is_refused(stage: Stage, content: bytes) -> None:
    ada = stage.user()
    ticket = await ada.announce(PDF, "application/pdf")
    headers = {"content-type": "application/pdf"}
    answer = await stage.client.put(ticket.url, content=content, headers=headers)
    assert answer.is_client_error
    assert problem(await ada.complete(ticket.id)) == (409, "upload_incomplete")


async def test_a_lie_about_the_type_of_the_bytes_is_refused(stage: Stage) -> None:
    ada = stage.user()
    ticket = await ada.announce(PDF, "application/pdf")
    headers = ticket.headers | {"content-type": "text/html"}
    answer = await stage.client.put(ticket.url, content=PDF, headers=headers)
    assert answer.is_client_error
    assert problem(await ada.complete(ticket.id)) == (409, "upload_incomplete")


async def test_bytes_that_come_after_the_check_change_nothing(stage: Stage) -> None:
    ada = stage.user()
    ticket = await ada.announce(PDF, "application/pdf")
    await ada.put(ticket, PDF)
    await ada.complete(ticket.id)
    await ada.put(ticket, b"<html>" + PDF[6:])
    assert (await ada.read(ticket.id)).content == PDF


class TestThroughOurOwnDoorway:
    """Where the store has none: the embedded topology."""

    async def test_the_address_is_a_secret_that_fits_one_upload(self, embedded: Stage) -> None:
        ada = embedded.user()
        ticket = await ada.announce(PDF)
        assert ticket.url.startswith("/media/bytes/")
        guessed = msgspec.structs.replace(ticket, url=ticket.url[:-1] + "_")
        assert problem(await ada.put(guessed, PDF)) == (404, "file_unknown")

    async def test_the_address_is_shut_after_a_while(self, embedded: Stage) -> None:
        ada = embedded.user()
        ticket = await ada.announce(PDF)
        embedded.clock.ahead_ms = ticket.expires_at_ms - embedded.clock.now_ms() + 1
        assert problem(await ada.put(ticket, PDF)) == (404, "file_unknown")

    async def test_bytes_without_a_length_are_refused(self, embedded: Stage) -> None:
        ada = embedded.user()
        ticket = await ada.announce(PDF)

        async def pieces() -> AsyncIterator[bytes]:
            yield PDF

        headers = {"content-type": "application/octet-stream"}
        answer = await embedded.client.put(ticket.url, content=pieces(), headers=headers)
        assert problem(answer) == (422, "file_size_wrong")

    async def test_the_same_bytes_are_taken_once_at_a_time(self, embedded: Stage) -> None:
        ada = embedded.user()
        ticket = await ada.announce(PDF)
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield PDF[:10]
            begun.set()
            await go_on.wait()
            yield PDF[10:]

        slow_put = asyncio.create_task(
            embedded.client.put(ticket.url, content=slow(), headers=ticket.headers)
        )
        await begun.wait()

        async def is_refused() -> bool:
            answer = await ada.put(ticket, PDF)
            return answer.status_code == 409

        await until(is_refused)
        go_on.set()
        assert (await slow_put).status_code == 204

    async def test_a_sender_that_leaves_leaves_nothing(self, embedded: Stage) -> None:
        ada = embedded.user()
        ticket = await ada.announce(PDF)
        url = embedded.client.base_url
        _, writer = await asyncio.open_connection(url.host, url.port)
        head = (
            f"PUT {ticket.url} HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream\r\n"
        )
        writer.write(f"{head}content-length: {len(PDF)}\r\n\r\n".encode() + PDF[:100])
        await writer.drain()
        writer.close()
        await writer.wait_closed()

        async def can_be_put_again() -> bool:
            return (await ada.put(ticket, PDF)).status_code == 204

        await until(can_be_put_again)
        assert (await ada.complete(ticket.id)).status_code == 200

    async def test_no_body_is_larger_than_any_upload(self) -> None:
        policy = Policy()
        async with open_stage("embedded", policy) as stage:
            ticket = await stage.user().announce(PDF)
            size = policy.sizes.attachment_bytes_max + 1
            headers = ticket.headers | {"content-length": str(size)}
            answer = await stage.client.put(ticket.url, content=b"x" * size, headers=headers)
            assert answer.status_code in {413, 422}


@pytest.mark.parametrize(
    ("purpose", "size_bytes"),
    [
        ("attachment", 0),
        ("attachment", -1),
        ("attachment", 25 * 1024 * 1024 + 1),
        ("avatar", 8 * 1024 * 1024 + 1),
        ("emoji", 512 * 1024 + 1),
    ],
)
async def test_a_size_beyond_the_limit_is_refused_at_once(
    embedded: Stage, purpose: str, size_bytes: int
) -> None:
    wish = StartUpload(purpose, "a", "image/png", size_bytes)  # type: ignore[arg-type]
    answer = await embedded.user().start(wish)
    assert problem(answer) == (422, "file_size_refused")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../../etc/passwd", "passwd"),
        ("C:\\Windows\\evil.exe", "evil.exe"),
        ("a\x00b\r\nSet-Cookie: x=1.txt", "ab  Set-Cookie: x=1.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("...", "file"),
        ("x" * 500 + ".tar", "x" * 116 + ".tar"),
    ],
)
async def test_a_name_leads_nowhere(embedded: Stage, name: str, shown: str) -> None:
    ada = embedded.user()
    file = await ada.upload(PDF, name=name)
    assert file.name == shown
    answer = await ada.read(file.id)
    assert "set-cookie" not in answer.headers
    assert answer.content == PDF


class TestClaims:
    async def test_a_claim_of_many_is_all_or_nothing(self, stage: Stage) -> None:
        ada, ben = stage.user(), stage.user()
        channel = stage.channel(ada)
        mine, other = await ada.upload(PDF), await ben.upload(PDF)
        with pytest.raises(NotFound):
            await stage.around.bus.ask(
                ClaimFiles(ada.id, "attachment", [mine.id, other.id], channel)
            )
        claim = ClaimFiles(ada.id, "attachment", [mine.id], channel)
        assert await stage.around.bus.ask(claim) == [mine]
        assert await stage.around.bus.ask(claim) == [mine]
        elsewhere = ClaimFiles(ada.id, "attachment", [mine.id], stage.channel(ada))
        with pytest.raises(Conflict) as refused:
            await stage.around.bus.ask(elsewhere)
        assert refused.value.code == "file_in_use"

    async def test_files_come_in_the_order_of_the_claim(self, stage: Stage) -> None:
        ada = stage.user()
        files = [await ada.upload(PDF, name=f"{number}") for number in range(3)]
        wanted = [files[2], files[0], files[1]]
        claim = ClaimFiles(ada.id, "attachment", [file.id for file in wanted], stage.channel(ada))
        assert await stage.around.bus.ask(claim) == wanted

    async def test_what_is_not_checked_cannot_be_claimed(self, stage: Stage) -> None:
        ada = stage.user()
        ticket = await ada.announce(PDF)
        await ada.put(ticket, PDF)
        with pytest.raises(Conflict) as refused:
            await stage.around.bus.ask(
                ClaimFiles(ada.id, "attachment", [ticket.id], stage.channel(ada))
            )
        assert refused.value.code == "file_not_ready"

    async def test_a_file_is_claimed_for_what_it_was_uploaded_for(self, embedded: Stage) -> None:
        ada = embedded.user()
        file = await ada.upload(picture(), "image/png", "emoji")
        with pytest.raises(NotFound):
            await embedded.around.bus.ask(ClaimFiles(ada.id, "avatar", [file.id]))
        with pytest.raises(Invalid):
            await embedded.around.bus.ask(ClaimFiles(ada.id, "attachment", [file.id]))

    async def test_two_claims_at_once_have_one_winner(self, stage: Stage) -> None:
        ada = stage.user()
        files = [(await ada.upload(PDF)).id for _ in range(3)]
        claims = [
            ClaimFiles(ada.id, "attachment", order, stage.channel(ada))
            for order in (files, files[::-1])
        ]
        answers = await asyncio.gather(*map(stage.around.bus.ask, claims), return_exceptions=True)
        assert {type(answer) for answer in answers} == {list, Conflict}

    async def test_what_was_dropped_is_gone_for_everybody_and_from_the_store(
        self, stage: Stage
    ) -> None:
        ada = stage.user()
        file = await ada.upload(picture(), "image/png")
        await stage.around.bus.ask(ClaimFiles(ada.id, "attachment", [file.id], stage.channel(ada)))
        await stage.around.bus.ask(DropFiles([file.id, FileId(uuid4())]))
        assert problem(await ada.read(file.id)) == (404, "file_unknown")

        async def nothing_is_left() -> bool:
            return not await stage.files.under("kept/", 10)

        await until(nothing_is_left)


class TestQuotas:
    async def test_a_day_has_so_many_bytes(self) -> None:
        policy = Policy(quota=Quota(bytes_per_day_max=5000))
        async with open_stage("embedded", policy) as stage:
            ada = stage.user()
            await ada.announce(PDF)
            wish = StartUpload("attachment", "a", "text/plain", 5000 - len(PDF) + 1)
            answer = await ada.start(wish)
            assert problem(answer) == (429, "upload_quota_spent")
            assert int(answer.headers["retry-after"]) <= 24 * 3600
            fits = msgspec.structs.replace(wish, size_bytes=5000 - len(PDF))
            assert (await ada.start(fits)).status_code == 201
            assert (await stage.user().start(wish)).status_code == 201
            stage.clock.ahead_ms += 24 * HOUR_MS
            assert (await ada.start(wish)).status_code == 201

    async def test_one_upload_above_the_day_is_refused(self) -> None:
        async with open_stage("embedded", Policy(quota=Quota(bytes_per_day_max=10))) as stage:
            wish = StartUpload("attachment", "a", "text/plain", 11)
            assert problem(await stage.user().start(wish)) == (429, "upload_quota_spent")

    async def test_few_uploads_are_open_at_once(self, stage: Stage) -> None:
        ada = stage.user()
        wish = StartUpload("attachment", "a", "text/plain", 10)
        answers = await asyncio.gather(*(ada.start(wish) for _ in range(30)))
        assert sorted(answer.status_code for answer in answers) == [201] * 20 + [429] * 10
        assert {problem(a)[1] for a in answers if a.is_error} == {"uploads_too_many"}

    async def test_a_user_is_slowed_down(self) -> None:
        async with open_stage("embedded", Policy(uploads_per_user=Limit(2, 60_000))) as stage:
            ada = stage.user()
            wish = StartUpload("attachment", "a", "text/plain", 10)
            statuses = [(await ada.start(wish)).status_code for _ in range(3)]
            assert statuses == [201, 201, 429]


class TestSweeps:
    async def test_uploads_never_completed_go_after_an_hour(self, stage: Stage) -> None:
        ada = stage.user()
        ticket = await ada.announce(PDF)
        await ada.put(ticket, PDF)
        assert await stage.files.under("quarantine/", 10)
        stage.clock.ahead_ms = HOUR_MS + 1000

        async def nothing_is_left() -> bool:
            return not await stage.files.under("quarantine/", 10)

        await until(nothing_is_left)
        assert problem(await ada.complete(ticket.id)) == (404, "file_unknown")

    async def test_files_never_claimed_go_after_a_day_and_claimed_ones_stay(
        self, stage: Stage
    ) -> None:
        ada = stage.user()
        unused, used = await ada.upload(PDF), await ada.upload(PDF)
        await stage.around.bus.ask(ClaimFiles(ada.id, "attachment", [used.id], stage.channel(ada)))
        stage.clock.ahead_ms = 24 * HOUR_MS + 1000

        await until(lambda: ada.finds_nothing(unused.id))
        assert (await ada.read(used.id)).content == PDF

    async def test_bytes_that_come_too_late_go_as_well(self, embedded: Stage) -> None:
        name = "quarantine/1700000000000-late"

        async def pieces() -> AsyncIterator[bytes]:
            yield b"x"

        await embedded.files.write(name, pieces(), 1, "text/plain")
        embedded.clock.ahead_ms = 2 * HOUR_MS

        async def is_gone() -> bool:
            return await embedded.files.stat(name) is None

        await until(is_gone)
