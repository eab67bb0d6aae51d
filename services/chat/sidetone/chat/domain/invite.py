"""How long and how often an invite works."""

import re
from base64 import b32encode

from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.refusals import Invalid, NotFound
from sidetone.protocol.servers import CreateInvite, Invite

INVITES_MAX = 1_000
USES_MAX = 100_000
LIFETIME_SECONDS_MAX = 366 * 24 * 3600
CODE_BYTES = 10

_CODE = re.compile(r"[a-z2-7]{16}")


def code_of(random: bytes) -> str:
    """Return ``CODE_BYTES`` of randomness as something that can be read out: 16 letters, digits.

    >>> code_of(bytes(10))
    'aaaaaaaaaaaaaaaa'
    """
    return b32encode(random).decode().lower()


def require_code(text: str) -> None:
    """Refuse what cannot be a code, like every other code that does not work."""
    if not _CODE.fullmatch(text):
        raise unknown_invite()


def invite(
    code: str, server: ServerId, creator: UserId, wish: CreateInvite, now_ms: int
) -> Invite:
    """Return the invite that *wish* asks for. Raises ``Invalid``.

    >>> from uuid import UUID
    >>> wish = CreateInvite(lifetime_seconds=2)
    >>> invite("abc", ServerId(UUID(int=1)), UserId(UUID(int=2)), wish, 500).expires_at_ms
    2500
    """
    uses, lifetime_seconds = wish.uses_max, wish.lifetime_seconds
    if uses is not None and not 1 <= uses <= USES_MAX:
        raise Invalid("uses_out_of_range", f"an invite has 1 to {USES_MAX} uses, or no limit")
    if lifetime_seconds is None:
        return Invite(code, server, None, uses, creator)
    if not 1 <= lifetime_seconds <= LIFETIME_SECONDS_MAX:
        raise Invalid(
            "lifetime_out_of_range",
            f"an invite lives 1 to {LIFETIME_SECONDS_MAX} seconds, or for ever",
        )
    return Invite(code, server, now_ms + lifetime_seconds * 1000, uses, creator)


def unknown_invite() -> NotFound:
    """Return the one refusal for codes that are wrong, expired or used up."""
    return NotFound("invite_unknown", "this invite does not work; ask for a new one")
