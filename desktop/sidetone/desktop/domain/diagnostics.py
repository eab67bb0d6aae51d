"""What may leave this machine to help with a fault: all that explains it, and nothing of anybody.

Secrets are not collected in the first place. What looks like one is taken out of the log again
nevertheless: a key, a token, an address with its pin, an invite.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from sidetone.desktop.domain.preferences import Preferences

_ADDRESS_OR_TOKEN: Final = re.compile(r"sidetone://[^\s\"'\\<>)]+|\beyJ[\w.-]+")
_LONG: Final = re.compile(r"[A-Za-z0-9_-]{22,}")
_INVITE: Final = re.compile(r"\b[a-z2-7]{16}\b")
# Names in code are made of words; keys are not.
_WORDS: Final = re.compile(r"(?:[_-]{0,2}[A-Z]?[a-z]{2,})+[_-]{0,2}")
_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_GONE: Final = "[removed]"


class Findings(msgspec.Struct, frozen=True):
    """What is known of a client: its *versions*, devices by name, the log, what was counted."""

    versions: Mapping[str, str]
    microphones: Sequence[str]
    speakers: Sequence[str]
    log: str
    counters: Mapping[str, float]


def files_of(findings: Findings, preferences: Preferences, home: str) -> dict[str, bytes]:
    """Return the files to hand over, by name; *home* is the user's folder, which names them."""
    devices = {"microphones": findings.microphones, "speakers": findings.speakers}
    files = {
        "versions.json": _json(findings.versions),
        "settings.json": _json(shareable(preferences)),
        "devices.json": _json(devices),
        "counters.json": _json(findings.counters),
        "client.log": findings.log,
    }
    return {name: scrubbed(text, home).encode() for name, text in files.items()}


def shareable(preferences: Preferences) -> dict[str, object]:
    """Return what is set, without whom one knows and where one is: of those, how many."""
    shown = msgspec.structs.asdict(preferences)
    voice, keys, notices = preferences.voice, preferences.keys, preferences.notifications
    shown["servers"] = len(preferences.servers)
    shown["voice"] = {**msgspec.structs.asdict(voice), "volumes": len(voice.volumes)}
    shown["keys"] = {"bindings": keys.bindings, "servers": len(keys.servers)}
    shown["layout"] = len(preferences.layout.servers)
    shown["notifications"] = {
        **msgspec.structs.asdict(notices),
        "servers": len(notices.servers),
        "channels": len(notices.channels),
    }
    return shown


def scrubbed(text: str, home: str) -> str:
    """Return *text* without what looks like a secret, an address, or the user's own folder.

    >>> scrubbed("at sidetone://a:1#pin as AAAAAAAAAAAAAAAAAAAAAAAA0, see /ada/x", "/ada")
    'at [removed] as [removed], see ~/x'
    """
    without = _ADDRESS_OR_TOKEN.sub(_GONE, text.replace(home, "~") if len(home) > 1 else text)
    return _INVITE.sub(_GONE, _LONG.sub(_unless_harmless, without))


def _unless_harmless(found: re.Match[str]) -> str:
    text = found[0]
    return text if _WORDS.fullmatch(text) or _ID.fullmatch(text) else _GONE


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
