"""What the audio threads' counters say since the last look: who spoke, and what was not sent.

The threads only count; who asks here learns what has changed. No clock, no I/O.
"""

from sidetone.audio.engine import Engine
from sidetone.client.stats import Tally


class Watch:
    """One looker at one engine; what was not sent goes to the *tally*, by why."""

    def __init__(self, engine: Engine, tally: Tally) -> None:
        self._engine = engine
        self._tally = tally
        self._forbidden = "no_connection"
        self._received: dict[int, int] = {}
        self._not_sent = self._not_sealed = 0

    def forbid(self, why: str) -> None:
        """Send nothing; what is said meanwhile is counted under *why*."""
        self.look()
        self._forbidden = why
        self._engine.set_sending(False)

    def allow(self) -> None:
        """Send what is said."""
        self.look()
        self._engine.set_sending(True)

    def look(self) -> None:
        """Count what was said and not sent since the last look."""
        not_sent, not_sealed = self._engine.not_sent
        self._add(self._forbidden, not_sent - self._not_sent)
        self._add(self._engine.not_sealed_why, not_sealed - self._not_sealed)
        self._not_sent, self._not_sealed = not_sent, not_sealed

    def spoke(self) -> list[tuple[int, bool]]:
        """Tell who was heard since the last look, and whether their talkspurt is over."""
        heard = self._engine.heard()
        spoke = [
            (sender, each.ended)
            for sender, each in heard.items()
            if each.received != self._received.get(sender, 0)
        ]
        self._received = {sender: each.received for sender, each in heard.items()}
        return spoke

    def _add(self, why: str, count: int) -> None:
        if count > 0:
            self._tally.not_sent[why] += count
