"""Who wants to record the call, who agrees, and who records: as its events tell it. Pure."""

from sidetone.client.events import (
    ConsentAsked,
    ConsentChanged,
    Event,
    RecordingStarted,
    RecordingStopped,
)
from sidetone.protocol.ids import UserId


class Recording:
    """The recordings of one call, for the user *me*."""

    def __init__(self, me: UserId) -> None:
        self.asking: set[UserId] = set()
        self.running: set[UserId] = set()
        self.paused: set[UserId] = set()
        self.answers: dict[UserId, bool] = {}
        self._me = me

    @property
    def must_answer(self) -> UserId | None:
        """Who asks us and has no answer yet."""
        others = sorted(user for user in self.asking if user != self._me)
        return others[0] if others and self._me not in self.answers else None

    @property
    def asks(self) -> bool:
        """Whether we ask ourselves, or record."""
        return self._me in self.asking

    def missing(self, roster: set[UserId]) -> set[UserId]:
        """Return those of *roster* who have not agreed to be recorded."""
        return {user for user in roster if not self.answers.get(user)} - {self._me}

    def apply(self, event: Event) -> bool:
        """Take in what *event* says of recordings; tell whether it did."""
        match event:
            case ConsentAsked(user):
                self.asking.add(user)
                self.answers[user] = True
            case ConsentChanged(user, agrees):
                self.answers[user] = agrees
            case RecordingStarted(user):
                self.asking.add(user)
                self.running.add(user)
                self.paused.discard(user)
            case RecordingStopped(user, "paused"):
                self.running.discard(user)
                self.paused.add(user)
            case RecordingStopped(user):
                self._stopped(user)
            case _:
                return False
        return True

    def stopped_asking(self) -> None:
        """Note that we ask no more: of that no event tells us ourselves."""
        self._stopped(self._me)

    def left(self, user: UserId) -> None:
        """Forget somebody who is not in the call any more."""
        self.answers.pop(user, None)
        self._stopped(user)

    def _stopped(self, user: UserId) -> None:
        for those in (self.asking, self.running, self.paused):
            those.discard(user)
        if not self.asking:
            # Consent ends with the last recording: the next one is asked for anew.
            self.answers.clear()
