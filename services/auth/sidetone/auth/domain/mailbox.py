"""E-mail addresses, as far as a server can judge them: the rest the mail itself proves."""

import re

from sidetone.protocol.refusals import Invalid

ADDRESS_LENGTH_MAX = 254
RESET_LIFETIME_MS = 3_600_000
VERIFICATION_LIFETIME_MS = 24 * 3_600_000

# What RFC 5321 delivers without quoting; quoted local parts and literals exist on paper only.
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])"
)


def address_of(text: str) -> str:
    """Return the address that *text* spells. Raises ``Invalid``.

    >>> address_of(" Ada@Example.org ")
    'Ada@Example.org'
    """
    address = text.strip() if len(text) <= 2 * ADDRESS_LENGTH_MAX else ""
    if len(address) > ADDRESS_LENGTH_MAX or _ADDRESS.fullmatch(address) is None:
        raise Invalid("address_invalid", "this is no e-mail address; write it as ada@example.org")
    return address


def address_key(address: str) -> str:
    """Return what must be unique: capitals make no difference to any mail server in use."""
    return address.lower()
