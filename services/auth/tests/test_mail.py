"""Addresses and forgotten passwords: what travels by mail."""

import asyncio
import contextlib
import email
import email.policy
import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.auth.tests.stage import PASSWORD, PATIENT, Opener, Stage
from sidetone.auth.application.ports import Mail
from sidetone.auth.infrastructure.errands import QueuedErrands
from sidetone.auth.infrastructure.mail import FolderMail, FolderMailer, SmtpMail, SmtpMailer
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.limits import Limit

NEW_PASSWORD = "a walk along the river"
ADDRESS = "Ada@Example.org"
TOKEN = re.compile(r"^[A-Za-z0-9_-]{43}$", re.MULTILINE)


async def mails(tmp_path: Path, count: int) -> list[Any]:
    """Wait for *count* mails in all, and return them in order."""
    folder = tmp_path / "mail"
    async with asyncio.timeout(30):
        while len(found := sorted(folder.glob("*.eml"))) < count:  # noqa: ASYNC110 - a folder has no events
            await asyncio.sleep(0.005)
    assert len(found) == count
    return [email.message_from_bytes(f.read_bytes(), policy=email.policy.default) for f in found]


def token_in(mail: Any) -> str:
    [token] = TOKEN.findall(mail.get_content())
    return token


async def give_address(stage: Stage, login: dict[str, Any], address: str = ADDRESS) -> int:
    answer = await stage.put(
        "/auth/address", login["access_token"], address=address, proof={"password": PASSWORD}
    )
    return answer.status_code


async def verified(stage: Stage, tmp_path: Path) -> dict[str, Any]:
    """Sign somebody up whose address is verified; one mail lies in the folder."""
    login = await stage.sign_up("Ada")
    assert await give_address(stage, login) == 202
    [mail] = await mails(tmp_path, 1)
    assert mail["To"] == ADDRESS
    answer = await stage.post("/auth/address/verify", token=token_in(mail))
    assert answer.status_code == 204
    return login


async def test_an_address_counts_once_it_is_verified(mail_stage: Stage, tmp_path: Path) -> None:
    stage = mail_stage
    login = await stage.sign_up("Ada")
    await give_address(stage, login)
    me = (await stage.get("/auth/me", login["access_token"])).json()
    assert (me["address"], me["address_verified"]) == (ADDRESS, False)
    await stage.post("/auth/password/reset", address=ADDRESS)
    [mail] = await mails(tmp_path, 1)
    token = token_in(mail)
    assert (await stage.post("/auth/address/verify", token=token)).status_code == 204
    assert (await stage.post("/auth/address/verify", token=token)).status_code == 404
    me = (await stage.get("/auth/me", login["access_token"])).json()
    assert (me["address"], me["address_verified"]) == (ADDRESS, True)


async def test_a_verification_is_too_late_after_a_day(mail_stage: Stage, tmp_path: Path) -> None:
    stage = mail_stage
    await give_address(stage, await stage.sign_up("Ada"))
    [mail] = await mails(tmp_path, 1)
    stage.clock.offset_ms += 24 * 3_600_000
    answer = await stage.post("/auth/address/verify", token=token_in(mail))
    assert (answer.status_code, answer.json()["code"]) == (404, "verification_unknown")


async def test_an_address_belongs_to_one_account(mail_stage: Stage, tmp_path: Path) -> None:
    stage = mail_stage
    await verified(stage, tmp_path)
    await give_address(stage, await stage.sign_up("Ben"), ADDRESS.lower())
    mail = (await mails(tmp_path, 2))[-1]
    answer = await stage.post("/auth/address/verify", token=token_in(mail))
    assert (answer.status_code, answer.json()["code"]) == (409, "address_taken")


async def test_what_is_no_address_is_told(mail_stage: Stage) -> None:
    login = await mail_stage.sign_up("Ada")
    for address in (
        "ada",
        "ada@localhost",
        "a b@example.org",
        "a@b.c\nBcc: x@y.org",
        "@",
        "é@x.y",
    ):
        assert await give_address(mail_stage, login, address) == 422, address
    assert await give_address(mail_stage, login, "x" * 300 + "@example.org") == 422


async def test_an_address_can_be_taken_away(mail_stage: Stage, tmp_path: Path) -> None:
    login = await verified(mail_stage, tmp_path)
    assert await give_address(mail_stage, login, "") == 202
    me = (await mail_stage.get("/auth/me", login["access_token"])).json()
    assert me["address"] is None


async def test_a_reset_replaces_the_password_once_and_ends_all_logins(
    mail_stage: Stage, tmp_path: Path
) -> None:
    stage = mail_stage
    login = await verified(stage, tmp_path)
    answer = await stage.post("/auth/password/reset", address=ADDRESS.upper())
    assert (answer.status_code, answer.content) == (202, b"")
    token = token_in((await mails(tmp_path, 2))[-1])
    for password, expected in (("short", 422), (NEW_PASSWORD, 204), (NEW_PASSWORD, 404)):
        answer = await stage.post(
            "/auth/password/reset/confirm", token=token, new_password=password
        )
        assert answer.status_code == expected
    assert (await stage.log_in("Ada")).status_code == 401
    assert (await stage.log_in("Ada", NEW_PASSWORD)).status_code == 200
    assert (await stage.refresh(login["refresh_token"])).status_code == 401
    assert (await stage.get("/auth/export", login["access_token"])).status_code == 401


async def test_a_reset_is_too_late_after_an_hour_and_the_newest_alone_holds(
    mail_stage: Stage, tmp_path: Path
) -> None:
    stage = mail_stage
    await verified(stage, tmp_path)
    tokens: list[str] = []
    for count in (2, 3):
        await stage.post("/auth/password/reset", address=ADDRESS)
        tokens.append(token_in((await mails(tmp_path, count))[-1]))
    for token, wait_ms in ((tokens[0], 0), (tokens[1], 3_600_000), ("A" * 43, 0), ("\ud800", 0)):
        stage.clock.offset_ms += wait_ms
        body = (
            msgspec.json.encode({"token": token, "new_password": NEW_PASSWORD})
            if (token != "\ud800")
            else b'{"token":"\\ud800","new_password":"a walk along the river"}'
        )
        answer = await stage.client.post("/auth/password/reset/confirm", content=body)
        assert answer.status_code in {400, 404}
    assert (await stage.log_in("Ada")).status_code == 200


async def test_nobody_learns_from_a_reset_who_has_an_account(
    mail_stage: Stage, tmp_path: Path
) -> None:
    stage = mail_stage
    await verified(stage, tmp_path)
    known = await stage.post("/auth/password/reset", address=ADDRESS)
    unknown = await stage.post("/auth/password/reset", address="nobody@example.org")
    assert known.status_code == unknown.status_code == 202
    assert known.content == unknown.content
    await mails(tmp_path, 2)


async def test_a_mailbox_is_not_flooded(open_stage: Opener, tmp_path: Path) -> None:
    policy = msgspec.structs.replace(
        PATIENT, mail=FolderMail(str(tmp_path / "mail")), mail_per_mailbox=Limit(2, 3_600_000)
    )
    stage = await open_stage(policy)
    answers = [
        await stage.post("/auth/password/reset", address=address)
        for address in (ADDRESS, ADDRESS.upper(), ADDRESS)
    ]
    assert [answer.status_code for answer in answers] == [202, 202, 429]


async def test_the_owner_is_told_of_a_changed_password(mail_stage: Stage, tmp_path: Path) -> None:
    stage = mail_stage
    login = await verified(stage, tmp_path)
    await stage.put(
        "/auth/password",
        login["access_token"],
        new_password=NEW_PASSWORD,
        proof={"password": PASSWORD},
    )
    mail = (await mails(tmp_path, 2))[-1]
    assert "Its password was changed." in mail.get_content()
    assert NEW_PASSWORD not in mail.as_string()


async def test_mail_in_the_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    mailer = FolderMailer(FolderMail(str(tmp_path / "new" / "mail")), SystemClock())
    await mailer.send(Mail("ada@example.org", "Grüße", "Ein Wort: ümläut"))
    [path] = (tmp_path / "new" / "mail").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert mail["Subject"] == "Grüße"
    assert mail.get_content().strip() == "Ein Wort: ümläut"


async def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    mailer = FolderMailer(FolderMail(str(tmp_path / "file")), SystemClock())
    with pytest.raises(Unavailable, match="mail_unavailable"):
        await mailer.send(Mail("ada@example.org", "Hello", "text"))


class SmtpServer:
    """As much of RFC 5321 as one mail takes."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.port = 0
        self.over = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 test\r\n")
        in_data = False
        while line := (await reader.readline()).decode():
            self.lines.append(line.rstrip("\r\n"))
            if in_data:
                in_data = line != ".\r\n"
                if not in_data:
                    writer.write(b"250 kept\r\n")
            elif line.startswith("DATA"):
                in_data = True
                writer.write(b"354 go on\r\n")
            elif line.startswith("QUIT"):
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"250 test\r\n")
        writer.close()
        await writer.wait_closed()
        self.over.set()


@contextlib.asynccontextmanager
async def smtp() -> AsyncGenerator[SmtpServer]:
    fake = SmtpServer()
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    async with server:
        fake.port = server.sockets[0].getsockname()[1]
        yield fake
        await fake.over.wait()


async def test_mail_is_handed_to_an_smtp_server() -> None:
    async with smtp() as server:
        policy = SmtpMail("127.0.0.1", server.port, "sidetone@example.org", security="none")
        await SmtpMailer(policy, SystemClock()).send(Mail("ada@example.org", "Hello", "A word."))
    assert any(line.startswith("RCPT TO:<ada@example.org>") for line in server.lines)
    assert "A word." in server.lines
    assert "Subject: Hello" in server.lines


async def test_an_smtp_server_without_tls_gets_no_mail_that_wants_it() -> None:
    async with smtp() as server:
        policy = SmtpMail("127.0.0.1", server.port, "sidetone@example.org")
        with pytest.raises(Unavailable, match="mail_unavailable"):
            await SmtpMailer(policy, SystemClock()).send(Mail("ada@example.org", "Hello", "word"))
    assert not any("DATA" in line for line in server.lines)


async def test_too_many_errands_are_dropped_and_a_failing_one_stops_none() -> None:
    done: list[int] = []
    finished = asyncio.Event()
    errands = QueuedErrands(waiting_max=3)

    def errand(number: int) -> Any:
        async def run() -> None:
            if number == 0:
                raise Unavailable("mail_unavailable", "no")
            if number == 1:
                raise ValueError("a bug")
            done.append(number)
            finished.set()

        return run

    for number in range(5):
        errands.add(errand(number))
    working = asyncio.create_task(errands.work())
    async with asyncio.timeout(30):
        await finished.wait()
    working.cancel()
    assert done == [2]


async def test_a_reset_that_is_under_way_ends_with_the_old_password_or_address(
    mail_stage: Stage, tmp_path: Path
) -> None:
    """Whoever reads the old mailbox, or asked for a reset before, does not get in later."""
    stage = mail_stage
    login = await verified(stage, tmp_path)
    await stage.post("/auth/password/reset", address=ADDRESS)
    first = token_in((await mails(tmp_path, 2))[-1])
    proof = {"password": PASSWORD}
    token = login["access_token"]
    await stage.put("/auth/password", token, new_password=NEW_PASSWORD, proof=proof)
    await mails(tmp_path, 3)
    await stays_out(stage, first)
    await stage.post("/auth/password/reset", address=ADDRESS)
    second = token_in((await mails(tmp_path, 4))[-1])
    proof = {"password": NEW_PASSWORD}
    await stage.put("/auth/address", token, address="new@example.org", proof=proof)
    sent = [mail for mail in await mails(tmp_path, 6) if mail["To"] == "new@example.org"]
    verification = token_in(sent[0])
    assert (await stage.post("/auth/address/verify", token=verification)).status_code == 204
    await stays_out(stage, second)


async def stays_out(stage: Stage, reset: str) -> None:
    answer = await stage.post("/auth/password/reset/confirm", token=reset, new_password=PASSWORD)
    assert (answer.status_code, answer.json()["code"]) == (404, "reset_unknown")
