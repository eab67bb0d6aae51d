"""How loud single people are for us: kept from call to call, and heard at once."""

from collections.abc import Callable

from sidetone.desktop.application.keep_preferences import KeepPreferences
from sidetone.desktop.domain.voice import VOLUME_PERCENT, with_volume
from sidetone.protocol.ids import UserId


class Volumes:
    """What is set for whom; *changed* makes it heard."""

    def __init__(
        self, preferences: KeepPreferences, changed: Callable[[UserId, int], None]
    ) -> None:
        self._preferences = preferences
        self._changed = changed
        self._before: dict[UserId, int] = {}

    def of(self, user: UserId) -> int:
        """Return how loud *user* is, in percent."""
        return self._preferences.current.voice.volumes.get(user, VOLUME_PERCENT)

    def set(self, user: UserId, percent: int) -> None:
        """Make *user* louder or softer, in every call from now on."""
        self._preferences.change(with_volume(self._preferences.current, user, percent))
        self._changed(user, percent)

    def silence(self, user: UserId, *, silent: bool) -> None:
        """Hear nothing of *user*, or as much as before."""
        if silent:
            self._before[user] = self.of(user)
        self.set(user, 0 if silent else self._before.pop(user, 0) or VOLUME_PERCENT)
