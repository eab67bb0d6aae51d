"""What can be deployed, and which variables each of them reads."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

import sidetone.auth.settings
import sidetone.chat.settings
import sidetone.gateway.settings
import sidetone.integrations.settings
import sidetone.media.settings
import sidetone.presence.settings
import sidetone.voice.settings
from sidetone.all_in_one.settings import DatabaseSettings
from sidetone.all_in_one.settings import Settings as ServeSettings
from sidetone.runtime.settings import Variable, variables
from sidetone.voice_sfu.settings import Settings as UnitSettings
from sidetone.voice_sfu.settings import WorkerSettings


class Deployable(NamedTuple):
    """A program that reads the environment: how it is started, and into what it reads."""

    command: str
    parts: Sequence[tuple[type[msgspec.Struct], str]]

    def variables(self) -> Sequence[Variable]:
        """Return all that it reads."""
        return [each for kind, prefix in self.parts for each in variables(kind, prefix)]


def _service(name: str, kind: type[msgspec.Struct]) -> Deployable:
    prefix = f"SIDETONE_{name.upper().replace('-', '_')}"
    return Deployable(f"sidetone service {name}", [(kind, prefix)])


DEPLOYABLES: Mapping[str, Deployable] = {
    "serve": Deployable(
        "sidetone serve", [(ServeSettings, "SIDETONE"), (WorkerSettings, "SIDETONE_SFU")]
    ),
    "auth": _service("auth", sidetone.auth.settings.Settings),
    "chat": _service("chat", sidetone.chat.settings.Settings),
    "gateway": _service("gateway", sidetone.gateway.settings.Settings),
    "integrations": _service("integrations", sidetone.integrations.settings.Settings),
    "media": _service("media", sidetone.media.settings.Settings),
    "presence": _service("presence", sidetone.presence.settings.Settings),
    "search-indexer": _service("search-indexer", sidetone.chat.settings.IndexerSettings),
    "voice": _service("voice", sidetone.voice.settings.Settings),
    "sfu": Deployable("sidetone sfu", [(UnitSettings, "SIDETONE_SFU")]),
    "migrate": Deployable("sidetone migrate", [(DatabaseSettings, "SIDETONE")]),
}

# What the client and the tools of a release read: no settings of a server.
ELSEWHERE: Mapping[str, str] = {
    "SIDETONE_MICROPHONE": "The client: a WAV file that is heard instead of a microphone.",
    "SIDETONE_SPEAKER": "The client: a WAV file that sound is written to; `null` for silence.",
    "SIDETONE_RELEASE_KEY": "Signing a release: the secret key of its manifest.",
    "SIDETONE_RELEASE_KEY_FILE": "The same, in a file.",
}
