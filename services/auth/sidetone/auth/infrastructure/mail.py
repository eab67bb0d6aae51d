"""Ways to send mail: into a folder, by SMTP, or not at all."""

import asyncio
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Literal, TypeAlias

import aiosmtplib
import msgspec
import structlog

from sidetone.auth.application.ports import Mail, Mailer
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.clock import Clock

_log = structlog.get_logger(__name__)
_SMTP_SECONDS_MAX = 30
# The oldest go first: mail that nobody fetched from the folder is of no use for long.
_FILES_MAX = 1_000


class NoMail(msgspec.Struct, frozen=True, tag="none"):
    """No mail is sent: passwords cannot be reset."""


class FolderMail(msgspec.Struct, frozen=True, tag="folder"):
    """Mail becomes files in *folder*, for an operator who hands it on, and for tests."""

    folder: str
    sender: str = "sidetone@localhost"


class SmtpMail(msgspec.Struct, frozen=True, tag="smtp"):
    """Mail is handed to an SMTP server; *security* of the connection is given, not guessed."""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = ""
    security: Literal["tls", "starttls", "none"] = "starttls"


MailPolicy: TypeAlias = NoMail | FolderMail | SmtpMail


def mailer_of(policy: MailPolicy, clock: Clock) -> Mailer:
    """Return the mailer that *policy* describes."""
    match policy:
        case NoMail():
            return NullMailer()
        case FolderMail():
            return FolderMailer(policy, clock)
        case SmtpMail():
            return SmtpMailer(policy, clock)


class NullMailer:
    """Sends nothing, and says so in the log."""

    async def send(self, mail: Mail) -> None:
        """Drop *mail*."""
        _log.warning("mail_not_set_up", subject=mail.subject)


class FolderMailer:
    """Writes each mail into a file of its own, which only this user may read."""

    def __init__(self, policy: FolderMail, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock

    async def send(self, mail: Mail) -> None:
        """Write *mail*. Raises ``Unavailable`` where the folder cannot be written."""
        message = _message(mail, self._policy.sender, self._clock)
        name = f"{self._clock.new_id()}.eml"
        try:
            await asyncio.to_thread(_write, Path(self._policy.folder), name, message.as_bytes())
        except OSError as error:
            raise Unavailable("mail_unavailable", f"mail cannot be written: {error}") from error


class SmtpMailer:
    """Hands each mail to an SMTP server, on a connection of its own."""

    def __init__(self, policy: SmtpMail, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock

    async def send(self, mail: Mail) -> None:
        """Deliver *mail* to the server. Raises ``Unavailable``."""
        policy = self._policy
        try:
            await aiosmtplib.send(
                _message(mail, policy.sender, self._clock),
                hostname=policy.host,
                port=policy.port,
                username=policy.user or None,
                password=policy.password or None,
                use_tls=policy.security == "tls",
                start_tls=policy.security == "starttls",
                timeout=_SMTP_SECONDS_MAX,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            # What the server said can repeat the mail: only the kind of failure is told.
            _log.warning("mail_not_sent", reason=type(error).__name__)
            raise Unavailable("mail_unavailable", "mail cannot be sent; try again later") from None


def _message(mail: Mail, sender: str, clock: Clock) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = mail.address
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(datetime.fromtimestamp(clock.now_ms() / 1000, UTC))
    message["Message-ID"] = f"<{clock.new_id()}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    return message


def _write(folder: Path, name: str, content: bytes) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in sorted(folder.glob("*.eml"))[: -(_FILES_MAX - 1)]:
        old.unlink(missing_ok=True)
    # Whoever looks finds whole mails alone.
    unfinished = folder / f"{name}.part"
    unfinished.touch(mode=0o600)
    unfinished.write_bytes(content)
    unfinished.rename(folder / name)
