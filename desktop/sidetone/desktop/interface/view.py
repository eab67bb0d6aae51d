"""One window: where it is, what it follows, and how it starts what the user asks for.

The view itself is a plain object on purpose: a component that is handed it subscribes to nothing.
What a component follows it says with ``watch``; only then is it drawn anew, and it alone.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, NamedTuple

import flet as ft
import msgspec

from sidetone.community import Community
from sidetone.desktop.application.account import Account
from sidetone.desktop.application.arrivals import Arrivals
from sidetone.desktop.application.program import Core
from sidetone.desktop.application.provider_sign_in import Loopback
from sidetone.desktop.application.read_history import open_channel
from sidetone.desktop.domain import names
from sidetone.desktop.domain.place import Place
from sidetone.desktop.domain.topics import Topic, Topics
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.looks import dress
from sidetone.desktop.interface.turns import Turns
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.refusals import Refusal

_log = logging.getLogger(__name__)

# Changes within this time are drawn together.
_DRAW_SECONDS = 0.05


@hooks.observable
@dataclass(eq=False)
class Tick:
    """How often one topic has changed; the smallest thing to subscribe to."""

    count: int = 0


class Reading(NamedTuple):
    """What keys do in the channel that is read, and what the eye does."""

    # Count what has come as read where it is before somebody's eyes.
    seen: Callable[[], None]
    to_present: Callable[[], None]
    # Choose the message so many below the chosen one.
    step: Callable[[int], None]
    # Open the menu of the message that is chosen.
    offer: Callable[[], None]


class View:
    """A window of *core* on *page*. Lives as long as the page's session.

    *link* is an address or a link that the user was led here with; *loopback* is where a browser
    comes back to after a provider's page, and *arrivals* where it leaves files.
    """

    def __init__(
        self,
        core: Core,
        page: ft.Page,
        place: Place,
        link: str,
        loopback: Loopback,
        arrivals: Arrivals,
    ) -> None:
        self.link = link
        self.loopback = loopback
        self.arrivals = arrivals
        self.core = core
        self.page = page
        self.place = place
        self._looks = core.preferences.current.appearance
        self._ticks: dict[Topic, Tick] = {}
        self._changed: set[Topic] = set()
        self._waiting = asyncio.Event()
        self._tasks: set[asyncio.Future[Any]] = set()
        # Parts of long pages that are drawn one after another.
        self.turns = Turns(self.start)
        self._dialogs: list[ft.DialogControl] = []
        self._menu = ft.ContextMenu(ft.Container(width=0, height=0))
        page.overlay.append(self._menu)
        # What is open may take keys for itself.
        self.keys_taken_by: Callable[[str], bool] | None = None
        self.reading: Reading | None = None
        # What opens one more window of this system at a route.
        self.show: Callable[[str], None] = lambda _: None
        # Whether somebody looks at the window: what is shown then is read.
        self.focused = True
        page.on_app_lifecycle_state_change = self._looked_at
        # Names wear the colours of roles, made readable on the ground that there is.
        page.on_platform_brightness_change = lambda _: self.draw(Topic("theme"))
        core.listen(self)

    # --- what is drawn, and when ---

    def watch(self, *followed: Topic) -> None:
        """Draw the component that calls this again whenever one of these changes.

        A hook: call it at the top of a component, always with as many topics.
        """
        for topic in followed:
            tick, choose = hooks.state(self._tick(topic))
            if tick is not self._tick(topic):
                choose(self._tick(topic))

    def told(self, changed: Topics) -> None:
        """Note what changed; it is drawn within 50 ms, together with what else changed."""
        if self.reading is not None and any(topic.kind == "messages" for topic in changed):
            self.reading.seen()
        self._changed |= changed
        self._waiting.set()

    def draw(self, *changed: Topic) -> None:
        """Draw what follows these now: for what the user just did, from an event handler."""
        for topic in changed:
            if topic in self._ticks:
                self._ticks[topic].count += 1

    async def keep_drawn(self) -> None:
        """Draw what changes; runs as a task of the page until its session ends."""
        while True:
            await self._waiting.wait()
            self._waiting.clear()
            changed, self._changed = self._changed, set()
            try:
                if Topic("preferences") in changed:
                    self._dress()
                self.draw(*changed)
            except Exception as error:
                self.failed(error)
            await asyncio.sleep(_DRAW_SECONDS)

    def _dress(self) -> None:
        """Look as it is set, if that has changed."""
        looks = self.core.preferences.current.appearance
        if looks != self._looks:
            self._looks = looks
            dress(self.page, looks)
            self.page.update()
            self.draw(Topic("theme"))

    def failed(self, error: BaseException | None) -> None:
        """Say why something was refused, or that it went wrong; the window goes on."""
        if isinstance(error, Refusal):
            self.notice(kit.sentence(error.detail), bad=True)
            return
        _log.error("a part of the window failed", exc_info=error)
        self.notice(tr("Something went wrong; the log file says what."), bad=True)

    def _looked_at(self, event: ft.AppLifecycleStateChangeEvent) -> None:
        """Note that the window was entered or left."""
        self.focused = event.state in {ft.AppLifecycleState.SHOW, ft.AppLifecycleState.RESUME}
        self.draw(Topic("focus"))

    def _tick(self, topic: Topic) -> Tick:
        return self._ticks.setdefault(topic, Tick())

    @property
    def palette(self) -> theme.Palette:
        """The colours that are on the screen: follow the topic ``theme`` to keep up."""
        if self.core.preferences.current.appearance.theme == "high_contrast":
            return theme.HIGH_CONTRAST
        mode = self.page.theme_mode
        if mode == ft.ThemeMode.SYSTEM:
            light = self.page.platform_brightness == ft.Brightness.LIGHT
        else:
            light = mode == ft.ThemeMode.LIGHT
        return theme.LIGHT if light else theme.DARK

    def name_color(self, community: Community | None, user: UserId) -> str:
        """Return the colour of a name in *community*: its role's, made readable, or the text's."""
        return names.color_of(community, user, self.palette.raised) or theme.TEXT

    # --- where the window is ---

    @property
    def account(self) -> Account | None:
        """The account that is open, where it is still signed in."""
        user = self.place.account
        return self.core.accounts.get(user) if user is not None else None

    def settle(self) -> None:
        """Be with an account that is signed in, or where one waits for it or signs in."""
        if self.account is not None or self.place.screen == "sign_in":
            return
        account = next(iter(self.core.accounts), None)
        if account is not None:
            self.place = Place("friends", account)
        else:
            self.place = Place("start" if self.core.returning else "sign_in")

    def go(self, **changes: Any) -> None:
        """Go to another place: what is not named stays."""
        place = msgspec.structs.replace(self.place, **changes)
        if place != self.place:
            self.place = place
            self.draw(Topic("place"))

    def open_server(self, account: Account, server: ServerId) -> None:
        """Go to a server, to the text channel that stands first in it."""
        community = account.knowledge.communities.get(server)
        channels = community.visible(account.id) if community is not None else ()
        texts = sorted(
            (each for each in channels if each.kind == "text"), key=lambda each: each.position
        )
        self.go(screen="server", account=account.id, server=server, channel=None, thread=None)
        if texts:
            self.open_channel(account, ChannelId(texts[0].id))

    def open_channel(self, account: Account, channel: ChannelId) -> None:
        """Go to a channel and read what is there."""
        self.go(account=account.id, channel=channel, thread=None, message=None)
        self.start(open_channel(account, channel))

    # --- what the user asks for ---

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do *work* beside the window; a refusal is shown as a line, nothing freezes."""

        async def guarded() -> None:
            try:
                await work
            except Exception as error:
                self.failed(error)

        task = self.page.run_task(guarded)
        wrapped = asyncio.wrap_future(task)
        self._tasks.add(wrapped)
        wrapped.add_done_callback(self._tasks.discard)

    def act(self, work: Callable[..., Coroutine[Any, Any, Any]], *args: Any) -> Callable[[], None]:
        """Return a handler that starts ``work(*args)`` when its control is used."""
        return lambda: self.start(work(*args))

    def open(self, dialog: ft.DialogControl) -> None:
        """Show *dialog* above all until it is closed, by ``close`` or by Escape."""

        def dismissed() -> None:
            if dialog in self._dialogs:
                self._dialogs.remove(dialog)

        dialog.on_dismiss = dismissed
        self._dialogs.append(dialog)
        self.page.show_dialog(dialog)

    @property
    def has_dialog(self) -> bool:
        """Tell whether a dialog stands above all."""
        return bool(self._dialogs)

    def close(self) -> None:
        """Close the dialog that was opened last."""
        if self._dialogs:
            dialog = self._dialogs.pop()
            dialog.open = False
            dialog.update()

    async def open_beside(self, route: str, width: int, height: int) -> None:
        """Open a window at *route*: in a browser one of the browser's."""
        if self.page.web:
            await ft.UrlLauncher().open_window(route, title="Sidetone", width=width, height=height)
        else:
            self.show(route)

    def menu(self, at: ft.Offset, items: list[ft.PopupMenuItem]) -> None:
        """Offer *items* at a place of the window; they are made only when they are asked for."""

        async def show() -> None:
            self._menu.items = items
            self._menu.update()
            await self._menu.open(global_position=at)

        self.start(show())

    def menu_button(
        self,
        identifier: str,
        label: str,
        icon: ft.IconData,
        items: Callable[[], list[ft.PopupMenuItem]],
    ) -> ft.Control:
        """Return a button that offers *items*, which are made only when it is used.

        By keys the menu opens in the middle of the window.
        """
        width, height = self.page.width or 0, self.page.height or 0
        at = ft.Offset(width / 2, height / 2)

        def down(event: ft.TapEvent[ft.Container]) -> None:
            nonlocal at
            at = event.global_position or at

        button = ft.Container(
            ft.Icon(icon, size=18, color=theme.QUIET),
            padding=2,
            border_radius=theme.RADIUS,
            ink=True,
            tooltip=label,
            on_tap_down=down,
            on_click=lambda: self.menu(at, items()),
        )
        return kit.semantics(identifier, button, label, button=True)

    def notice(self, line: str, *, bad: bool = False) -> None:
        """Show one line for a few seconds, read aloud by screen readers."""
        self.page.show_dialog(kit.snack(line, bad=bad))
