"""What the machine that the client runs on lends it: sound, keys and a place on its disk."""

from collections.abc import Callable
from dataclasses import dataclass

from sidetone.desktop.application.export_diagnostics import Diagnostics
from sidetone.desktop.application.listen_to_keys import KeySource
from sidetone.desktop.application.outbox import OutboxStore
from sidetone.desktop.application.sound_devices import Ringer, SoundDevices
from sidetone.desktop.application.sound_test import Loop
from sidetone.protocol.ids import UserId


@dataclass(frozen=True)
class Machine:
    """The adapters of one machine."""

    devices: SoundDevices
    ringer: Ringer
    keys: KeySource
    loop: Loop
    diagnostics: Diagnostics
    outbox: Callable[[UserId], OutboxStore]
