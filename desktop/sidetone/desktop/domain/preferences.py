"""Everything a user can set, as frozen data: what it means, its range, and what it is at first.

There are no secrets here, so that a file of it can be shown to whoever helps. Who changes
something makes a new value by ``msgspec.structs.replace`` and has it ``checked``.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from sidetone.desktop.domain.wording import Language
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.refusals import Invalid

Theme: TypeAlias = Literal["system", "dark", "light", "high_contrast"]
Activation: TypeAlias = Literal["voice", "push_to_talk", "always"]
Suppression: TypeAlias = Literal["off", "low", "high", "max"]
Preset: TypeAlias = Literal["voice", "standard", "high", "studio"]
Action: TypeAlias = Literal["push_to_talk", "mute", "deafen"]
Loudness: TypeAlias = Literal["all", "mentions", "nothing"]
Corner: TypeAlias = Literal["top_left", "top_right", "bottom_left", "bottom_right"]
LogLevel: TypeAlias = Literal["debug", "info", "warning", "error"]

SERVERS_MAX: Final = 50
# People, channels and servers that something is set for one by one.
APART_MAX: Final = 1_000

Percent: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=200)]
_Address: TypeAlias = Annotated[str, msgspec.Meta(max_length=400)]
_Name: TypeAlias = Annotated[str, msgspec.Meta(max_length=200)]
# The keys of a chord, as `hotkeys` writes them: `ctrl+shift+m`.
_Chord: TypeAlias = Annotated[str, msgspec.Meta(max_length=120)]
RECENT_EMOJI_MAX: Final = 27
_Emoji: TypeAlias = Annotated[str, msgspec.Meta(max_length=24)]
_Few: Final = msgspec.Meta(max_length=APART_MAX)


class Appearance(msgspec.Struct, frozen=True):
    """How it looks; *reduced_motion* leaves out what moves without need."""

    theme: Theme = "system"
    font_percent: Annotated[int, msgspec.Meta(ge=80, le=160)] = 100
    reduced_motion: bool = False


class Voice(msgspec.Struct, frozen=True):
    """How one is heard and hears; devices by name, empty for the system's own choice.

    Ranges are those of the audio core. *volumes* are of single people: 0 is silence.
    """

    microphone: _Name = ""
    speaker: _Name = ""
    activation: Activation = "voice"
    release_ms: Annotated[int, msgspec.Meta(ge=0, le=2000)] = 200
    threshold_db: Annotated[float, msgspec.Meta(ge=-30, le=30)] = 0.0
    suppression: Suppression = "high"
    echo_cancellation: bool = False
    gain_control: bool = True
    preset: Preset = "standard"
    input_percent: Percent = 100
    output_percent: Percent = 100
    volumes: Annotated[Mapping[UserId, Percent], _Few] = {}


class Keys(msgspec.Struct, frozen=True):
    """What keys do everywhere on the desktop; in *servers* what is different in one of them."""

    bindings: Mapping[Action, _Chord] = {}
    servers: Annotated[Mapping[ServerId, Mapping[Action, _Chord]], _Few] = {}


class Notifications(msgspec.Struct, frozen=True):
    """What is shown outside of the window: a channel's own wish counts before its server's."""

    servers_at_first: Loudness = "mentions"
    servers: Annotated[Mapping[ServerId, Loudness], _Few] = {}
    channels: Annotated[Mapping[ChannelId, Loudness], _Few] = {}
    direct_messages: bool = True
    calls: bool = True
    friend_requests: bool = True
    sounds: bool = True
    do_not_disturb: bool = False


class Privacy(msgspec.Struct, frozen=True):
    """What others learn: *streamer_mode* hides texts, names and addresses from an audience."""

    streamer_mode: bool = False
    tells_typing: bool = True
    shows_previews: bool = True
    looks_for_updates: bool = True


class Overlay(msgspec.Struct, frozen=True):
    """The small window that says who speaks."""

    shown: bool = False
    corner: Corner = "top_left"
    opacity_percent: Annotated[int, msgspec.Meta(ge=20, le=100)] = 80


class Layout(msgspec.Struct, frozen=True):
    """How one arranged things: servers from the top, and categories that are folded up."""

    servers: Annotated[tuple[ServerId, ...], _Few] = ()
    collapsed: Annotated[frozenset[ChannelId], _Few] = frozenset()


class KnownServer(msgspec.Struct, frozen=True):
    """A server machine that one was at: its address with the pin, and what it is called."""

    address: _Address
    name: _Name = ""


class Preferences(msgspec.Struct, frozen=True):
    """All of it."""

    language: Language | Literal["system"] = "system"
    appearance: Appearance = Appearance()
    voice: Voice = Voice()
    keys: Keys = Keys()
    notifications: Notifications = Notifications()
    privacy: Privacy = Privacy()
    overlay: Overlay = Overlay()
    layout: Layout = Layout()
    recent_emoji: Annotated[tuple[_Emoji, ...], msgspec.Meta(max_length=RECENT_EMOJI_MAX)] = ()
    log_level: LogLevel = "info"
    servers: Annotated[tuple[KnownServer, ...], msgspec.Meta(max_length=SERVERS_MAX)] = ()


def checked(preferences: Preferences) -> Preferences:
    """Return *preferences* if all is within its range. Raises ``Invalid`` that names what is not.

    >>> checked(Preferences(overlay=Overlay(opacity_percent=5)))
    Traceback (most recent call last):
    ...
    sidetone.protocol.refusals.Invalid: preference_invalid: this cannot be set: Expected `int` \
>= 20 - at `$.overlay.opacity_percent`
    """
    try:
        return msgspec.convert(msgspec.to_builtins(preferences, str_keys=True), Preferences)
    except msgspec.ValidationError as error:
        raise Invalid("preference_invalid", f"this cannot be set: {error}") from None


def with_server(preferences: Preferences, server: KnownServer) -> Preferences:
    """Return *preferences* in which *server* is known first; those unused for longest go."""
    others = tuple(s for s in preferences.servers if s.address != server.address)
    return msgspec.structs.replace(preferences, servers=(server, *others)[:SERVERS_MAX])
