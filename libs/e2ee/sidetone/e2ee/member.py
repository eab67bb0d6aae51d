"""One member of one call: what a client holds, whole, and still without I/O.

Inputs mirror the room's control stream; each returns all the actions that it causes, and `timer`
says when `handle_timer` wants to be called. The room is never believed: garbage gives `Refused`.
Not for concurrent use; everything happens in the order in which it is called.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from sidetone.e2ee import actions, group, keypackage
from sidetone.e2ee.actions import Action, Participant
from sidetone.e2ee.audio_keys import AudioKeys
from sidetone.e2ee.commit import Commit
from sidetone.e2ee.commit import parse as parse_commit
from sidetone.e2ee.committer import Committer, Seat
from sidetone.e2ee.company import Company
from sidetone.e2ee.election import Election
from sidetone.e2ee.epochs import Epochs
from sidetone.e2ee.fast_aead import FRAME_KEY
from sidetone.e2ee.identity import DeviceIdentity, RandomBytes
from sidetone.e2ee.keypackage import Admission
from sidetone.e2ee.lobby import Lobby
from sidetone.e2ee.media import Opened
from sidetone.e2ee.rejected import Rejected
from sidetone.e2ee.renewal import Renewal
from sidetone.e2ee.schedule import MediaKind, epoch_code
from sidetone.e2ee.trust import Trust

RESYNC_MS: Final = 2_000
SENDER_MAX: Final = 0xFFFF
LAYER_MAX: Final = 3


class Member:
    """The state machine of our own membership.

    *random* draws secret bytes from the operating system; *grant* is the signed grant of 184
    bytes, and names the channel. Raises ``Rejected`` with `grant_...` if not for *identity*. With
    *audio*, threads seal and open the audio frames with the keys that are put down there.
    """

    def __init__(
        self,
        identity: DeviceIdentity,
        grant: bytes,
        trust: Trust,
        random: RandomBytes,
        grant_keys: Sequence[bytes],
        audio: AudioKeys | None = None,
    ) -> None:
        self.grant_keys = grant_keys
        self.sender: int | None = None
        self._renewal = Renewal(identity, grant, random, grant_keys)
        self._committer = Committer(identity, random)
        self._company = Company(trust, audio)
        self._epochs = Epochs(FRAME_KEY, audio)
        self._lobby = Lobby()
        self._group: group.Group | None = None
        self._waits = True
        self._resync_allowed_ms = 0
        self._resync_wanted = False

    # --- What the room says ---

    def welcomed(
        self,
        sender: int,
        roster: Iterable[int],
        joined: Iterable[int],
        now_ms: int,
        *,
        padded: bool = False,
    ) -> tuple[Action, ...]:
        """Begin a call as *sender*; any call before it is forgotten.

        *roster* are the senders in the cryptographic roster, none where there is no group yet;
        *joined* are all connected senders; *padded* is the channel's policy for frames.
        """
        senders = {sender, *roster, *joined}
        if not all(0 <= each <= SENDER_MAX for each in senders):
            return (actions.Refused("sender_range", "A sender index has two bytes."),)
        self.sender = sender
        self._epochs.padded = padded
        self._lobby = Lobby()
        self._lobby.connected = {sender, *joined}
        self._lobby.view = dict.fromkeys(roster)
        self._resync_allowed_ms = 0
        return (*self._begin_anew(sender, now_ms), *self._proceed(now_ms))

    def key_packages(
        self, packages: Iterable[tuple[int, bytes]], now_ms: int
    ) -> tuple[Action, ...]:
        """Take in others' key packages, as pairs of sender and 358 bytes."""
        refused: list[Action] = []
        for sender, wire in packages:
            if sender == self.sender:
                continue
            try:
                self._lobby.learn(sender, keypackage.parse(wire))
            except Rejected as refusal:
                refused.append(_refused(refusal))
        return (*refused, *self._proceed(now_ms))

    def commit(self, wire: bytes, now_ms: int) -> tuple[Action, ...]:
        """Follow a commit that the room took, our own included."""
        try:
            received = parse_commit(wire)
        except Rejected as refusal:
            return (_refused(refusal), *self._ask_resync(now_ms))
        ours = self._committer.proposal
        if ours and (received.packed, received.signature) == (
            ours.commit.packed,
            ours.commit.signature,
        ):
            return self._enter(ours.group, received, now_ms)
        if self._group and received.group == self._group.id and not self._is_new(received):
            refusal = Rejected("commit_epoch", f"Epoch {received.epoch} is behind us.")
            return (_refused(refusal),)
        try:
            following = self._following(received, now_ms)
        except Rejected as refusal:
            return self._stray(received, refusal, now_ms)
        if following is None:
            self._committer.proposal = None
            self._lobby.follow(received)
            return self._proceed(now_ms)
        return self._enter(following, received, now_ms)

    def commit_rejected(self, epoch: int, now_ms: int) -> tuple[Action, ...]:
        """Drop our proposal: another commit won; the next one has a new ephemeral key."""
        if self._committer.proposal and self._committer.proposal.commit.epoch == epoch:
            self._committer.proposal = None
            self._committer.election.defer(now_ms)
        return self._proceed(now_ms)

    def remove(self, senders: Iterable[int], now_ms: int) -> tuple[Action, ...]:
        """Note whose removal the room announced; for a refresh, the new package is here by now."""
        self._lobby.announced.update(self._lobby.view.keys() & set(senders))
        return self._proceed(now_ms)

    def group_ended(self, now_ms: int) -> tuple[Action, ...]:
        """Begin a new group with a new leaf, as nobody of the old one can commit any more."""
        if self.sender is None:
            return ()
        self._lobby.clear()
        return (*self._begin_anew(self.sender, now_ms), *self._proceed(now_ms))

    def peer_joined(self, sender: int, now_ms: int) -> tuple[Action, ...]:
        """Note that a member is connected."""
        if 0 <= sender <= SENDER_MAX:
            self._lobby.connected.add(sender)
        return self._proceed(now_ms)

    def peer_left(self, sender: int, now_ms: int) -> tuple[Action, ...]:
        """Note that a member's connection ended."""
        self._lobby.leave(sender)
        return self._proceed(now_ms)

    # --- What the client wants ---

    def renew(self, grant: bytes, now_ms: int) -> tuple[Action, ...]:
        """Use a new grant, with a fresh leaf."""
        try:
            self._renewal.take_grant(grant, self.grant_keys)
        except Rejected as refusal:
            return (_refused(refusal),)
        return self._renewed(now_ms)

    def resync(self, now_ms: int) -> tuple[Action, ...]:
        """Ask to be removed and re-added; at most once in two seconds, later if need be."""
        return self._ask_resync(now_ms)

    def confirm(self, user: bytes, uik: bytes) -> tuple[Action, ...]:
        """Accept a changed key, as the user of this client decided; it frees the microphone."""
        self._company.trust.confirm(user, uik)
        return (actions.PinsChanged(), *self._company.look(self._group))

    def verify(self, user: bytes, uik: bytes) -> tuple[Action, ...]:
        """Note that the safety number with *user* was compared and is equal."""
        self._company.trust.verify(user, uik)
        return (actions.PinsChanged(), *self._company.look(self._group))

    # --- Time ---

    def timer(self) -> int | None:
        """Say when `handle_timer` must be called; ask again after every call."""
        seat = self._seat()
        times = (
            self._renewal.timer(),
            self._epochs.timer(),
            self._resync_allowed_ms if self._resync_wanted else None,
            None if seat is None else self._committer.due_ms(seat),
        )
        return min((time for time in times if time is not None), default=None)

    def handle_timer(self, now_ms: int) -> tuple[Action, ...]:
        """Do what has become due."""
        self._epochs.retire(now_ms)
        due: list[Action] = []
        if self._renewal.grant_due(now_ms):
            due.append(actions.GrantWanted())
        if self._renewal.leaf_due(now_ms):
            due.extend(self._renewed(now_ms))
        if self._resync_wanted:
            due.extend(self._ask_resync(now_ms))
        return (*due, *self._proceed(now_ms))

    # --- Frames ---

    def seal_audio(
        self, opus: bytes, now_ms: int, loudness: int = 0, *, end: bool = False
    ) -> bytes:
        """Seal one Opus packet; *loudness* is 1..7, or 0 to withhold it from the room.

        Raises ``Rejected`` with `no_epoch`, `epoch_stale`, `identity_changed`, `frame_size`,
        `header_field` or `counter_exhausted`: drop the packet.
        """
        return self._seal(MediaKind.AUDIO, opus, now_ms, loudness, end=end)

    def seal_video(
        self,
        encoded: bytes,
        now_ms: int,
        layer: int = 0,
        *,
        keyframe: bool = False,
        end: bool = False,
    ) -> bytes:
        """Seal one encoded video frame of spatial layer 0..3, up to 1 MiB."""
        if not 0 <= layer <= LAYER_MAX:
            raise Rejected("header_field", f"{layer} is not a spatial layer of 0 to {LAYER_MAX}.")
        return self._seal(MediaKind.VIDEO, encoded, now_ms, keyframe << 2 | layer, end=end)

    def seal_data(self, payload: bytes, now_ms: int) -> bytes:
        """Seal a packet of the data kind; see `data` for what it may hold."""
        return self._seal(MediaKind.DATA, payload, now_ms, 0, end=False)

    def open(self, frame: bytes, now_ms: int) -> Opened | None:
        """Open a frame; None when it is held for a commit that is on the way.

        Raises ``Rejected`` with a `frame_...` code: drop the frame and count it.
        """
        return self._epochs.open(frame, now_ms)

    def frame_key(
        self, sender: int, kind: MediaKind = MediaKind.AUDIO, generation: int = 0
    ) -> bytes:
        """Reveal a sender's key and salt, 48 bytes, in the newest epoch: for proofs.

        Raises ``Rejected`` with `frame_unknown`, or `key_erased` for a generation that is over.
        """
        return self._epochs.frame_key(sender, kind, generation)

    # --- What there is to see ---

    @property
    def channel(self) -> bytes:
        """The channel that the grant is for."""
        return self._renewal.channel

    @property
    def participants(self) -> tuple[Participant, ...]:
        """Everybody in the cryptographic roster, us included, by sender."""
        return self._company.participants

    @property
    def held(self) -> bool:
        """Whether the microphone is held, because somebody's key has changed."""
        return self._company.held

    @property
    def epoch(self) -> int | None:
        """The newest epoch; None while we are in no group."""
        return self._group.epoch if self._group else None

    @property
    def code(self) -> str | None:
        """The newest epoch's 30 digits."""
        return epoch_code(self._group.secrets.auth) if self._group else None

    @property
    def transcript(self) -> bytes | None:
        """The newest epoch's transcript hash, which attestations and consents sign."""
        return self._group.transcript if self._group else None

    @property
    def sends_at_ms(self) -> int | None:
        """When the first frame can be sealed; None while we are in no group."""
        return self._epochs.sends_at_ms()

    # --- Inside ---

    def _begin_anew(self, sender: int, now_ms: int) -> list[Action]:
        self._group = None
        self._committer.proposal = None
        self._waits = True
        self._resync_wanted = False
        self._epochs.forget()
        self._renewal.forget()
        self._committer.election = Election()
        own = self._renewal.fresh(sender, now_ms)
        return [*self._company.look(self._group), actions.SendKeyPackage(own.package.wire)]

    def _is_new(self, received: Commit) -> bool:
        return self._group is None or received.epoch > self._group.epoch

    def _following(self, received: Commit, now_ms: int) -> group.Group | None:
        owned = self._renewal.owned
        packages = self._lobby.packages | {key: own.package for key, own in owned.items()}
        admission = Admission(self.channel, now_ms, self.grant_keys)
        held = self._group
        if held and (not self._waits or received.prev == held.transcript):
            return group.accept(held, received, packages, owned, admission)
        if self.sender not in {add.sender for add in received.adds}:
            return None
        return group.join(
            self._lobby.viewed_roster(packages), received, packages, owned, admission
        )

    def _stray(self, received: Commit, refusal: Rejected, now_ms: int) -> tuple[Action, ...]:
        self._committer.proposal = None
        self._waits = True
        self._lobby.follow(received)
        taken_out = refusal.code == "commit_without_us" and self.sender in received.removes
        if not taken_out:
            failed = actions.SendCommitFailed(received.epoch)
            return (_refused(refusal), failed, *self._ask_resync(now_ms))
        if self._renewal.owned:
            return ()
        self._group = None
        self._epochs.forget()
        return (actions.Removed(), *self._company.look(self._group))

    def _enter(self, entered: group.Group, received: Commit, now_ms: int) -> tuple[Action, ...]:
        self._committer.proposal = None
        self._waits = self._resync_wanted = False
        self._group = entered.without_chains()
        self._renewal.adopt(entered.own)
        self._lobby.settle(entered.roster, received.removes)
        self._committer.election.committed(received.kind, now_ms)
        opened = self._epochs.begin(entered, now_ms)
        return (
            actions.EpochStarted(entered.epoch, epoch_code(entered.secrets.auth)),
            *self._company.look(entered),
            *(actions.FrameOpened(each) for each in opened),
            *self._proceed(now_ms),
        )

    def _ask_resync(self, now_ms: int) -> tuple[Action, ...]:
        if self.sender is None:
            return ()
        self._resync_wanted = now_ms < self._resync_allowed_ms
        if self._resync_wanted:
            return ()
        self._resync_allowed_ms = now_ms + RESYNC_MS
        own = self._renewal.fresh(self.sender, now_ms)
        return (actions.SendResync(own.package.wire),)

    def _renewed(self, now_ms: int) -> tuple[Action, ...]:
        if self.sender is None:
            return ()
        wire = self._renewal.fresh(self.sender, now_ms).package.wire
        if self.sender in self._lobby.view:
            return (actions.SendRenewal(wire),)
        return (actions.SendKeyPackage(wire),)

    def _seat(self) -> Seat | None:
        own = self._renewal.newest
        if self._group and not self._waits:
            return Seat(self._group.own, self._lobby, self._group)
        return Seat(own, self._lobby, None) if own else None

    def _proceed(self, now_ms: int) -> tuple[Action, ...]:
        seat = self._seat()
        if seat is None:
            return ()
        admission = Admission(self.channel, now_ms, self.grant_keys)
        return tuple(self._committer.proceed(seat, admission))

    def _seal(self, kind: MediaKind, payload: bytes, now_ms: int, low: int, *, end: bool) -> bytes:
        if self._company.held:
            raise Rejected("identity_changed", "A member's key has changed; confirm it first.")
        return self._epochs.seal(kind, payload, now_ms, low, end=end)


def _refused(refusal: Rejected) -> actions.Refused:
    return actions.Refused(refusal.code, refusal.detail)
