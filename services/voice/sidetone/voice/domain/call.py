"""A call in a conversation of a few, from the first ring to the last goodbye.

Each step returns the call as it is afterwards, or raises a ``Refusal``; time is an argument. A
call is answered when somebody else than the caller is in it. It rings until all have answered or
the time is up, and ends when nobody has been inside for a while: who lost their network has that
long to come back.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

import msgspec

from sidetone.protocol.calls import Call, CallAnswer, Outcome
from sidetone.protocol.ids import CallId, ChannelId, ServerId, UserId
from sidetone.protocol.refusals import Conflict, Forbidden, Invalid, NotFound

PARTIES_MAX = 100
_WAITING: frozenset[CallAnswer] = frozenset({"ringing", "quiet"})


class Patience(msgspec.Struct, frozen=True):
    """How long a call rings, stays empty before it ends, and goes on before it is looked at."""

    ring_ms: int = 45_000
    empty_ms: int = 10_000
    look_every_ms: int = 15_000


class Party(msgspec.Struct, frozen=True):
    """One who is called, or calls; who is not *told* never learns of it unless they come in.

    To the caller, who blocked them looks like somebody who does not answer.
    """

    answer: CallAnswer
    told: bool = True


class CallState(msgspec.Struct, frozen=True):
    """A call with all that decides its next step."""

    id: CallId
    server: ServerId
    channel: ChannelId
    caller: UserId
    started_at_ms: int
    rings_until_ms: int
    parties: dict[UserId, Party]
    outcome: Outcome = "open"
    answered_at_ms: int | None = None
    ended_at_ms: int | None = None
    empty_since_ms: int | None = None

    def told(self) -> list[UserId]:
        """Return who learns of the call."""
        return [user for user, party in self.parties.items() if party.told]

    def shown(self) -> Call:
        """Return the call as clients see it."""
        return Call(
            self.id,
            self.server,
            self.channel,
            self.caller,
            self.started_at_ms,
            self.outcome,
            self._with("ringing"),
            self._with("joined"),
            self.ended_at_ms,
            self.answered_at_ms,
        )

    def due_ms(self, now_ms: int, patience: Patience) -> int | None:
        """Return when to look at the call again; None when it is over."""
        if self.outcome != "open":
            return None
        times = [now_ms + patience.look_every_ms]
        if any(party.answer in _WAITING for party in self.parties.values()):
            times.append(self.rings_until_ms)
        if self.empty_since_ms is not None:
            times.append(self.empty_since_ms + patience.empty_ms)
        return min(times)

    def _with(self, answer: CallAnswer) -> list[UserId]:
        return [user for user, party in self.parties.items() if party.answer == answer]


def begin(
    call: CallId,
    place: tuple[ServerId, ChannelId],
    caller: UserId,
    others: Mapping[UserId, Party],
    now_ms: int,
    patience: Patience,
) -> CallState:
    """Return a new call that rings *others*. Raises ``Invalid``."""
    if not others:
        raise Invalid("nobody_to_call", "there is nobody else in this conversation")
    if len(others) >= PARTIES_MAX:
        raise Invalid("too_many_to_call", f"a call rings at most {PARTIES_MAX - 1} others")
    parties = {caller: Party("joined"), **others}
    return CallState(
        call, *place, caller, now_ms, rings_until_ms=now_ms + patience.ring_ms, parties=parties
    )


def accept(call: CallState, user: UserId, now_ms: int) -> CallState:
    """Return *call* taken by one device of *user*: the others stop ringing.

    Raises ``Conflict`` where another device was faster, or the call is over.
    """
    party = _party(call, user)
    if party.answer == "joined":
        raise Conflict("call_taken", "you are in this call already, on this or another device")
    return _joined(_answered(call, {user}, "joined"), now_ms, empty=True)


def enter(call: CallState, user: UserId, now_ms: int) -> CallState:
    """Return *call* with *user* in it, who called into it instead of taking it.

    >>> from uuid import UUID
    >>> ada, ben = UserId(UUID(int=1)), UserId(UUID(int=2))
    >>> place = ServerId(UUID(int=3)), ChannelId(UUID(int=3))
    >>> call = begin(CallId(UUID(int=4)), place, ada, {ben: Party("ringing")}, 0, Patience())
    >>> enter(call, ben, 5) == accept(call, ben, 5)
    True
    """
    party = call.parties.get(user)
    if call.outcome != "open" or (party is not None and party.answer == "joined"):
        return call
    return _joined(_answered(call, {user}, "joined"), now_ms, empty=True)


def decline(call: CallState, user: UserId, now_ms: int) -> CallState:
    """Return *call* without *user*. Raises ``Conflict`` where they are in it, or it is over."""
    party = _party(call, user)
    if party.answer == "joined":
        raise Conflict("call_taken", "you are in this call already; leave it instead")
    return _settled(_answered(call, {user}, "declined"), now_ms)


def cancel(call: CallState, user: UserId, now_ms: int) -> CallState:
    """Return *call* taken back by its caller. Raises ``Forbidden`` or ``Conflict``."""
    _party(call, user)
    if user != call.caller:
        raise Forbidden("call_of_another", "only the caller can cancel; decline instead")
    if call.answered_at_ms is not None:
        raise Conflict("call_answered", "somebody has answered; leave the call instead")
    return _over(call, "cancelled", now_ms)


def occupied(call: CallState, present: AbstractSet[UserId], now_ms: int) -> CallState:
    """Return *call* with *present*, and nobody else, in its room: coming in is answering."""
    if call.outcome != "open":
        return call
    if not present:
        return _joined(call, now_ms, empty=True)
    newcomers = {
        user
        for user in present
        if user not in call.parties or call.parties[user].answer != "joined"
    }
    return _joined(_answered(call, newcomers, "joined"), now_ms, empty=False)


def passed(call: CallState, now_ms: int, patience: Patience) -> CallState:
    """Return *call* as time leaves it: rung out, or over since nobody is inside any more."""
    if call.outcome != "open":
        return call
    if now_ms >= call.rings_until_ms:
        waiting = {user for user, party in call.parties.items() if party.answer in _WAITING}
        call = _settled(_answered(call, waiting, "missed"), now_ms)
    if call.outcome != "open" or call.empty_since_ms is None:
        return call
    left = now_ms - call.empty_since_ms >= patience.empty_ms
    return _over(call, "ended", now_ms) if left else call


def _party(call: CallState, user: UserId) -> Party:
    party = call.parties.get(user)
    if party is None or not party.told:
        raise NotFound("call_unknown", "there is no such call")
    if call.outcome != "open":
        raise Conflict("call_over", "the call is over")
    return party


def _answered(call: CallState, users: Iterable[UserId], answer: CallAnswer) -> CallState:
    """Return *call* with *users*' answer; who comes in is told from then on."""
    parties = dict(call.parties)
    for user in users:
        party = parties.get(user, Party(answer))
        parties[user] = Party(answer, party.told or answer == "joined")
    return msgspec.structs.replace(call, parties=parties)


def _joined(call: CallState, now_ms: int, *, empty: bool) -> CallState:
    """Return *call* with what follows from who is in it: answered, empty, or neither."""
    others = {user for user, party in call.parties.items() if party.answer == "joined"}
    answered_at_ms = call.answered_at_ms
    if answered_at_ms is None and others - {call.caller}:
        answered_at_ms = now_ms
    empty_since_ms = None
    if empty and answered_at_ms is not None:
        empty_since_ms = now_ms if call.empty_since_ms is None else call.empty_since_ms
    return msgspec.structs.replace(
        call, answered_at_ms=answered_at_ms, empty_since_ms=empty_since_ms
    )


def _settled(call: CallState, now_ms: int) -> CallState:
    """Return *call*, over if nobody is left who could answer it."""
    answers = {party.answer for party in call.parties.values()}
    if call.answered_at_ms is not None or answers & _WAITING:
        return call
    return _over(call, "declined" if "declined" in answers else "missed", now_ms)


def _over(call: CallState, outcome: Outcome, now_ms: int) -> CallState:
    waiting = {user for user, party in call.parties.items() if party.answer in _WAITING}
    return msgspec.structs.replace(
        _answered(call, waiting, "missed"),
        outcome=outcome,
        ended_at_ms=now_ms,
        empty_since_ms=None,
    )
