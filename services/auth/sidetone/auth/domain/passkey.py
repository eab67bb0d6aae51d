"""Passkeys: what their owner calls them, and how many there may be."""

from sidetone.protocol.refusals import Invalid

PASSKEYS_PER_ACCOUNT_MAX = 25
NAME_LENGTH_MAX = 64


def passkey_name_of(text: str) -> str:
    """Return what *text* calls a passkey. Raises ``Invalid``.

    >>> passkey_name_of("  my   phone ")
    'my phone'
    """
    name = " ".join(text.split()) if len(text) <= 4 * NAME_LENGTH_MAX else ""
    if not 1 <= len(name) <= NAME_LENGTH_MAX or not name.isprintable():
        raise Invalid(
            "passkey_name_invalid", f"name the passkey in 1 to {NAME_LENGTH_MAX} characters"
        )
    return name
