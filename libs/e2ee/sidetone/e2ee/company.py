"""The people in the call as the client shows them, and whether we may speak to them."""

from sidetone.e2ee import actions
from sidetone.e2ee.actions import Action, Participant
from sidetone.e2ee.audio_keys import AudioKeys
from sidetone.e2ee.group import Group
from sidetone.e2ee.roster import Roster
from sidetone.e2ee.trust import Shield, Trust


class Company:
    """Everybody in the cryptographic roster, seen through our pins.

    *held* says that somebody shows another key than their pin: nothing is sealed until that is
    confirmed, or the member leaves.
    """

    def __init__(self, trust: Trust, audio: AudioKeys | None = None) -> None:
        self.trust = trust
        self._audio = audio
        self.participants: tuple[Participant, ...] = ()
        self.held = False

    def look(self, group: Group | None) -> list[Action]:
        """Look at the roster again, pin who is new, and tell what is different."""
        roster: Roster = group.roster if group else {}
        met = [self.trust.meet(package.user, package.uik) for package in roster.values()]
        before = set(self.participants)
        present = tuple(
            Participant(
                sender,
                package.user,
                package.device,
                package.uik,
                package.dk,
                self.trust.shield(package.user, package.uik),
            )
            for sender, package in sorted(roster.items())
        )
        news: list[Action] = [actions.PinsChanged()] if any(met) else []
        if present != self.participants:
            self.participants = present
            self.held = any(each.shield is Shield.CHANGED for each in present)
            if self._audio is not None:
                self._audio.hold(held=self.held)
            news.append(actions.RosterChanged(present))
        news.extend(
            actions.IdentityChanged(each.sender, each.user, each.uik)
            for each in present
            if each.shield is Shield.CHANGED and each not in before
        )
        return news
