"""The manners of one socket: what a client may say when, and when it has been silent too long.

GREETING, until it says who it is; AUTHENTICATING, while that is looked at; OPEN; CLOSED. Pure:
text and time come in, what the client asks for or why to hang up comes out.
"""

from enum import Enum

import msgspec

from sidetone.gateway.domain.policy import Policy
from sidetone.gateway.domain.replay import SEQUENCE_MAX
from sidetone.protocol.frames import ClientFrame, CloseCode, Heartbeat, Identify, Renew, Resume

_MINUTE_MS = 60_000
_decoder: msgspec.json.Decoder[ClientFrame] = msgspec.json.Decoder(ClientFrame)


class Phase(Enum):
    """Where a socket is in its life."""

    GREETING = "greeting"
    AUTHENTICATING = "authenticating"
    OPEN = "open"
    CLOSED = "closed"


class HangUp(msgspec.Struct, frozen=True):
    """Close the socket; *reason* is one line for people."""

    code: CloseCode
    reason: str


class Connection:
    """One socket's side of the protocol."""

    __slots__ = ("_due_ms", "_expires_at_ms", "_policy", "_refilled_at_ms", "phase")

    def __init__(self, policy: Policy, now_ms: int) -> None:
        self.phase = Phase.GREETING
        self._policy = policy
        self._due_ms = now_ms + policy.identify_ms
        self._expires_at_ms = 0
        self._refilled_at_ms = 0.0

    @property
    def due_ms(self) -> int:
        """When this is over unless the client says something."""
        if self.phase is Phase.OPEN:
            return min(self._due_ms, self._expires_at_ms)
        return self._due_ms

    def receive(self, text: bytes, now_ms: int) -> ClientFrame | HangUp:
        """Return what the client asks for, or why it has to go."""
        if not self._in_budget(now_ms):
            return self.hang_up(CloseCode.TOO_FAST, "too many frames; send at most two a second")
        try:
            frame = _decoder.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._violated("this is not a frame of the gateway; see its documentation")
        wrong = self._out_of_place(frame)
        if wrong is not None:
            return self._violated(wrong)
        self._due_ms = now_ms + self._policy.silence_ms
        if self.phase is Phase.GREETING:
            self.phase = Phase.AUTHENTICATING
        return frame

    def _out_of_place(self, frame: ClientFrame) -> str | None:
        match frame:
            case Identify() | Resume() if self.phase is not Phase.GREETING:
                return "identify or resume once, as the first frame"
            case Renew() if self.phase is not Phase.OPEN:
                return "a token is renewed in an open session only"
            case Heartbeat() if self.phase is Phase.GREETING:
                return "identify or resume first"
            case Heartbeat(sequence) | Resume(sequence=sequence):
                return None if 0 <= sequence <= SEQUENCE_MAX else "there is no such sequence"
            case _:
                return None

    def open(self, expires_at_ms: int, now_ms: int) -> None:
        """Note that the client is known, until its token expires."""
        self.phase = Phase.OPEN
        self._expires_at_ms = expires_at_ms
        self._due_ms = now_ms + self._policy.silence_ms

    def renew(self, expires_at_ms: int) -> None:
        """Note that a newer token is good for longer."""
        self._expires_at_ms = max(self._expires_at_ms, expires_at_ms)

    def check(self, now_ms: int) -> HangUp | None:
        """Return why this is over, if it is."""
        if self.phase is Phase.CLOSED or now_ms < self.due_ms:
            return None
        if self.phase is Phase.GREETING:
            return self.hang_up(CloseCode.IDENTIFY_LATE, "identify or resume within five seconds")
        if self.phase is Phase.OPEN and now_ms >= self._expires_at_ms:
            return self.hang_up(
                CloseCode.TOKEN_EXPIRED, "the token has expired; get a new one, then resume"
            )
        return self.hang_up(CloseCode.SILENT, "no heartbeat came; connect again and resume")

    def hang_up(self, code: CloseCode, reason: str) -> HangUp:
        """End it."""
        self.phase = Phase.CLOSED
        return HangUp(code, reason)

    def _violated(self, reason: str) -> HangUp:
        return self.hang_up(CloseCode.PROTOCOL_VIOLATION, reason)

    def _in_budget(self, now_ms: int) -> bool:
        """Count one frame; a minute's worth may come at once (the generic cell rate algorithm)."""
        per_frame_ms = _MINUTE_MS / self._policy.frames_per_minute
        refilled_at_ms = max(self._refilled_at_ms, float(now_ms)) + per_frame_ms
        if refilled_at_ms - now_ms > _MINUTE_MS:
            return False
        self._refilled_at_ms = refilled_at_ms
        return True
