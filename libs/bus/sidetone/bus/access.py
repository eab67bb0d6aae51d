"""How a process proves to NATS who it is, and knows that it speaks to the right server."""

import base64
import ssl
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from sidetone.protocol.refusals import Unavailable

_ADVICE: Final = "see `sidetone admin nats-config`"


class Access(NamedTuple):
    """A file of *credentials* and the certificate authority *ca* of the server; None: neither.

    The file holds a user's token, which says what they may do, and the key that it belongs to. It
    is read again at each connection, so that new credentials need no restart.
    """

    credentials: Path | None = None
    ca: Path | None = None

    def options(self) -> dict[str, Any]:
        """Return what the client is told in addition. Raises ``Unavailable`` for unusable files.

        Answers come to an inbox that is the user's alone: others cannot listen there.
        """
        options: dict[str, Any] = {}
        if self.ca is not None:
            try:
                options["tls"] = ssl.create_default_context(cafile=self.ca)
            except (OSError, ssl.SSLError) as error:
                raise _unusable("NATS certificate authority", self.ca, error) from error
        if self.credentials is not None:
            try:
                name = name_in(self.credentials.read_text("utf-8"))
            except (OSError, ValueError, IndexError, msgspec.MsgspecError) as error:
                raise _unusable("NATS credentials", self.credentials, error) from error
            options["user_credentials"] = str(self.credentials)
            options["inbox_prefix"] = inbox_of(name)
        return options


class _Claims(msgspec.Struct):
    name: str


def name_in(credentials: str) -> str:
    """Return the name of the user that *credentials* belong to. Raises what decoding raises."""
    token = credentials.split("-----BEGIN NATS USER JWT-----")[1].split(maxsplit=1)[0]
    claims = token.split(".")[1]
    padded = claims + "=" * (-len(claims) % 4)
    return msgspec.json.decode(base64.urlsafe_b64decode(padded), type=_Claims).name


def inbox_of(name: str) -> str:
    """Return what the subjects of the answers to user *name* begin with.

    >>> inbox_of("chat")
    '_INBOX.chat'
    """
    return f"_INBOX.{name}"


def _unusable(what: str, path: Path, error: Exception) -> Unavailable:
    # What is in the file stays out of the message: it is a secret.
    reason = error.strerror if isinstance(error, OSError) else "it is not such a file"
    return Unavailable("bus_access", f"the {what} in {path} cannot be used ({reason}); {_ADVICE}")
