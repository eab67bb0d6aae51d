"""How a further device of an account gets the user's key through a server that cannot read it.

The new device asks (``PUT``), shows a code, and waits (``GET``); a device that has the key finds
who asks (``GET /auth/device-links``) and answers. What is in it is VX1's (see `e2ee.linking`).
"""

from sidetone.protocol.ids import DeviceId
from sidetone.protocol.requests import Answer, Body


class AskLink(Body, frozen=True):
    """``PUT /auth/devices/{device}/link``: 16 bytes that prove the code to the other device."""

    ask: bytes


class AnswerLink(Body, frozen=True):
    """``PUT /auth/devices/{device}/link/answer``: the user's key, sealed for the new device."""

    give: bytes


class LinkAsked(Answer, frozen=True):
    """A device that waits to be linked, with its key as it was registered."""

    device: DeviceId
    device_key: bytes
    ask: bytes


class LinkState(Answer, frozen=True):
    """``GET /auth/devices/{device}/link``: what was given, None while nobody has answered."""

    give: bytes | None
