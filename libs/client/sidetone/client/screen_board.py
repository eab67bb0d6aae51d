"""The screens of one call: who shows what, our own share, and the views of others.

That somebody shows is said to the members alone, sealed as their sound is; the node is only told
whose video we want. What was said is forgotten when it is not said again, because a datagram may
be lost. Runs on the event loop.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from sidetone.client.events import (
    Event,
    ScreenChanged,
    ScreenStarted,
    ScreenStopped,
    SharedScreen,
    ShareEnded,
)
from sidetone.client.peers import Peers
from sidetone.client.screen_share import ScreenShare
from sidetone.client.screen_streams import Arrival
from sidetone.client.screen_view import ScreenView
from sidetone.client.session import Session
from sidetone.credentials.tickets import Perm
from sidetone.e2ee import data
from sidetone.e2ee.media import Opened
from sidetone.e2ee.schedule import MediaKind
from sidetone.protocol import voice_control as control
from sidetone.protocol.ids import Sender, UserId
from sidetone.protocol.refusals import Conflict, Forbidden, NotFound, Refusal, Unavailable
from sidetone.video import VideoError
from sidetone.video.capture import Subject
from sidetone.video.encoding import ScreenEncoder
from sidetone.video.quality import Quality

_SAY_SECONDS: Final = 2.0
# Who joins can read what is sealed with their epoch, which is used a moment after it began.
_SAY_TO_NEW_SECONDS: Final = 0.5
_FORGET_SECONDS: Final = 7.0
# Who only lost a connection is back by then, and shows on.
_REJOIN_SECONDS: Final = 3.0
_GOODBYES: Final = 3
_NOT_ALLOWED: Final = (
    "you may not show your screen in this channel; whoever runs the server can allow it"
)


class ScreenBoard:
    """What is shown in a call; *send* sends a data packet to all, *publish* tells the owner."""

    def __init__(
        self,
        peers: Peers,
        session: Callable[[], Session | None],
        send: Callable[[bytes], None],
        publish: Callable[[Sequence[Event]], None],
    ) -> None:
        self._peers = peers
        self._session = session
        self._send = send
        self._publish = publish
        self._loop = asyncio.get_running_loop()
        self._shown: dict[UserId, SharedScreen] = {}
        self._heard_at: dict[UserId, float] = {}
        self._senders: dict[UserId, int] = {}
        self._views: dict[UserId, ScreenView] = {}
        self._share: ScreenShare | None = None
        # Of a share that has ended, the process may still be ending.
        self._last: ScreenShare | None = None
        self._sharing = False
        self._rights = Perm(0)
        self._over = False
        self._say_at = 0.0
        self._goodbyes = 0

    @property
    def shown(self) -> tuple[SharedScreen, ...]:
        """What the others show."""
        return tuple(self._shown.values())

    @property
    def share(self) -> ScreenShare | None:
        """Our own share, while there is one."""
        return self._share

    # --- what the owner does ---

    async def start(self, subject: Subject, quality: Quality) -> ScreenShare:
        """Show *subject*; see ``Call.share_screen``."""
        self._check_allowed()
        if self._sharing:
            raise Conflict("already_sharing", "a screen is shown already; stop it first")
        self._sharing = True
        try:
            encoder = await ScreenEncoder.start(subject, quality)
        except VideoError as error:
            self._sharing = False
            raise Unavailable("screen_unusable", str(error)) from None
        except BaseException:
            self._sharing = False
            raise
        share = self._share = self._last = ScreenShare(
            encoder, subject, quality, self._seal_and_send, self._share_ended
        )
        try:
            # Much can happen in the second in which the capture began.
            self._check_allowed()
        except Refusal as refusal:
            share.end(refusal.detail)
            raise
        self._say_at = self._loop.time()
        self.tick()
        return share

    def watch(self, user: UserId) -> ScreenView:
        """See what *user* shows; see ``Call.watch``."""
        if user not in self._shown:
            raise NotFound("no_screen", "this user shows no screen at the moment")
        view = self._views.get(user)
        if view is None:
            view = self._views[user] = ScreenView(user, self._unwatch)
            view.place(self._senders.get(user))
            self._subscribe()
        return view

    # --- what the call tells ---

    def on_word(self, opened: Opened) -> None:
        """Take a data packet about screens; raises ``Rejected`` for one that is malformed."""
        peer = self._peers.of_sender(opened.sender)
        if peer is None:
            return
        if data.packet_type(opened.payload) == data.VIEWING:
            word = data.parse_viewing(opened.payload)
            session = self._session()
            if self._share and session is not None and word.source == session.member.sender:
                self._share.trouble(word.bits_per_second)
            return
        said = data.parse_screen(opened.payload)
        if not said.frames_per_second:
            self._forget(peer.user, "the screen is not shown any more")
            return
        self._heard_at[peer.user] = self._loop.time()
        self._place(peer.user, opened.sender)
        screen = SharedScreen(peer.user, said.width, said.height, said.frames_per_second)
        before = self._shown.get(peer.user)
        self._shown[peer.user] = screen
        if before is None:
            self._publish([ScreenStarted(screen)])
        elif before != screen:
            self._publish([ScreenChanged(screen)])

    def on_video(self, arrival: Arrival) -> None:
        """Note how a frame came, before it is opened."""
        view = self._view_of(arrival.sender)
        if view is not None:
            view.arrived(arrival)

    def on_frame(self, opened: Opened) -> None:
        """Take a video frame that was decrypted."""
        view = self._view_of(opened.sender)
        if view is not None and opened.kind is MediaKind.VIDEO:
            view.opened(opened)

    def keyframe_wanted(self) -> None:
        """Answer the node, for a viewer who waits."""
        if self._share is not None:
            self._share.keyframe_wanted()

    def set_rights(self, rights: Perm) -> None:
        """Stop showing where that is not allowed any more."""
        self._rights = rights
        if self._share is not None and Perm.VIDEO not in rights:
            self._share.end(_NOT_ALLOWED)

    def enter_room(self) -> None:
        """Forget the places of the room before; who shows says so again."""
        self._senders.clear()
        for view in self._views.values():
            view.place(None)

    def entered(self) -> None:
        """Show and watch on in the new room."""
        if self._share is not None:
            self._share.room_entered()
        self._say_at = 0.0
        self._subscribe()

    def epoch_began(self) -> None:
        """Tell who is new what we show."""
        self._say_at = min(self._say_at, self._loop.time() + _SAY_TO_NEW_SECONDS)

    def left(self, user: UserId) -> None:
        """Forget soon what somebody showed who has left, if they do not come back."""
        if user in self._shown:
            self._senders.pop(user, None)
            self._heard_at[user] = self._loop.time() - _FORGET_SECONDS + _REJOIN_SECONDS
            view = self._views.get(user)
            if view is not None:
                view.place(None)

    def tick(self) -> None:
        """Do what time has made due; call it about twenty times a second."""
        now = self._loop.time()
        if now >= self._say_at and (self._share is not None or self._goodbyes):
            self._say(now)
        if self._share is not None:
            self._share.tick()
        for view in list(self._views.values()):
            self._look_after(view, now)
        for user, heard_at in list(self._heard_at.items()):
            if now - heard_at > _FORGET_SECONDS:
                self._forget(user, "nothing was heard of the screen any more")

    async def closed(self) -> None:
        """Return when the process of the last share, if there was one, is gone."""
        if self._last is not None:
            await self._last.stop()

    def end(self) -> None:
        """Show and see nothing any more: the call is over."""
        self._over = True
        if self._share is not None:
            self._share.end("the call is over")
        for user in list(self._shown):
            self._forget(user, "the call is over")

    # --- inside ---

    def _check_allowed(self) -> None:
        if self._over:
            raise Conflict("call_ended", "the call is over")
        if Perm.VIDEO not in self._rights:
            raise Forbidden("no_right_to_share", _NOT_ALLOWED)

    async def _seal_and_send(self, encoded: bytes, keyframe: bool) -> bool:  # noqa: FBT001
        session = self._session()
        return session is not None and await session.show(encoded, keyframe=keyframe)

    def _share_ended(self, reason: str) -> None:
        self._share, self._sharing = None, False
        self._goodbyes, self._say_at = _GOODBYES, 0.0
        self._publish([ShareEnded(reason)])
        self.tick()

    def _say(self, now: float) -> None:
        """Say what we show, or three times that we do no longer."""
        share = self._share
        if share is not None:
            self._goodbyes = 0
            word = data.ScreenWord(share.quality.frames_per_second, *share.size)
        else:
            self._goodbyes -= 1
            word = data.ScreenWord(0, 0, 0)
        self._say_at = now + (_SAY_SECONDS if share is not None else _SAY_TO_NEW_SECONDS)
        self._send(data.pack_screen(word))

    def _look_after(self, view: ScreenView, now: float) -> None:
        session = self._session()
        if view.sender is None or session is None or session.link is None:
            return
        if view.keyframe_due(now):
            session.link.send(control.KeyframeRequest(Sender(view.sender), 0))
        trouble = view.path.report(now)
        if trouble is not None:
            self._send(data.pack_viewing(data.ViewingWord(view.sender, *trouble)))

    def _view_of(self, sender: int) -> ScreenView | None:
        peer = self._peers.of_sender(sender)
        view = self._views.get(peer.user) if peer is not None else None
        return view if view is not None and view.sender == sender else None

    def _place(self, user: UserId, sender: int) -> None:
        if self._senders.get(user) == sender:
            return
        self._senders[user] = sender
        view = self._views.get(user)
        if view is not None:
            view.place(sender)
            self._subscribe()

    def _unwatch(self, view: ScreenView) -> None:
        if self._views.get(view.user) is view:
            del self._views[view.user]
            self._subscribe()

    def _forget(self, user: UserId, reason: str) -> None:
        self._heard_at.pop(user, None)
        self._senders.pop(user, None)
        view = self._views.get(user)
        if view is not None:
            view.end(reason)
        if self._shown.pop(user, None) is not None:
            self._publish([ScreenStopped(user)])

    def _subscribe(self) -> None:
        session = self._session()
        if session is None or session.link is None:
            return
        senders = [Sender(view.sender) for view in self._views.values() if view.sender is not None]
        session.link.send(control.Subscribe(senders, [MediaKind.VIDEO], [0] * len(senders)))
