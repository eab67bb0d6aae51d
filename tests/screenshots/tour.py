"""The way through every screen and dialog, in chapters that can be told alone."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from playwright.async_api import FilePayload

from desktop.tests.stage import Window
from sidetone.protocol.ids import ChannelId, MessageId
from tests.screenshots import paintings
from tests.screenshots.camera import Camera
from tests.screenshots.town import HERO, HOME, PASSWORD, Town

_NOTICE_MS = 8_000
_OPENS_MS = 1_500
# Who registers: another one each time that the town is gone through.
_NEWCOMERS = {"en": "kai", "de": "lena", "zh": "mei"}
_MIDDLE = (640, 300)


class Tour:
    """What every chapter walks with."""

    def __init__(self, window: Window, camera: Camera, town: Town) -> None:
        self.window = window
        self.camera = camera
        self.town = town

    async def close(self) -> None:
        """Close the dialog or the menu that is open."""
        await self.window.press("Escape")
        await self.window.page.wait_for_timeout(400)

    async def scroll_to(self, identifier: str) -> None:
        """Turn the wheel over the messages until *identifier* is among those that are seen."""
        found = await self.window.sees(identifier)
        # What went away before may still make room for it.
        await self.window.page.wait_for_timeout(_OPENS_MS)
        box = await found.bounding_box()
        assert box is not None
        await self.window.page.mouse.move(*_MIDDLE)
        await self.window.page.mouse.wheel(0, box["y"] - _MIDDLE[1] / 2)
        await self.window.page.wait_for_timeout(_OPENS_MS)

    async def closing(self, identifier: str, name: str, **how: bool) -> None:
        """Take *name* once *identifier* is there, and close it again."""
        await self.window.sees(identifier)
        await self.camera.take(name, **how)
        await self.close()
        await self.window.misses(identifier)

    async def menu(self, of: str, first: str, name: str) -> None:
        """Take the menu that the other mouse button opens, found by its *first* entry."""
        await self.window.click(of, button="right")
        await self.closing(first, name)

    async def by_menu(self, of: str, entry: str, dialog: str, name: str) -> None:
        """Open a dialog by the other mouse button and an entry, and take it."""
        await self.window.click(of, button="right")
        await self.window.click(entry)
        await self.closing(dialog, name)

    async def sign_in(self, name: str) -> None:
        """Sign in by the form."""
        await self.window.sign_in(name)
        await self.window.misses("sign-in-submit")


async def entrance(tour: Tour) -> None:
    """The ways in, and an account with nothing in it."""
    window, camera = tour.window, tour.camera
    await window.sees("sign-in-name")
    # That this machine has no keyring is said for a while.
    await window.page.wait_for_timeout(_NOTICE_MS)
    await camera.take("sign-in", main=True, contrast=True)
    await window.click("sign-in-reset")
    await window.sees("reset-mail")
    await camera.take("reset-password")
    await window.click("reset-back")
    await window.sign_in(HERO, "not this one")
    await window.sees("sign-in-problem")
    await camera.take("sign-in-refused")
    await window.click("sign-in-other")
    await window.type("sign-in-name", _NEWCOMERS[camera.wish.language])
    await window.type("sign-in-password", PASSWORD)
    await camera.take("register")
    await window.press("Enter")
    await window.sees("welcome")
    await camera.take("welcome", main=True)
    await window.click("rail-add")
    await window.sees("add-join")
    await camera.take("add-server")
    await window.click("add-join")
    invite = await tour.town.hero.api.servers.invite(tour.town.home)
    await window.type("invite", invite.code, enter=True)
    await tour.closing("invite-preview", "join-server")
    await window.click("rail-add")
    await window.click("add-code")
    await tour.closing("template-code", "found-server")
    await window.click("account-menu")
    await window.click("account-sign-out")
    await window.sees("confirm-yes")
    await camera.take("sign-out")
    await window.click("confirm-yes")
    await window.sees("sign-in-name")


async def home(tour: Tour) -> None:
    """Friends, conversations, and what one says of oneself."""
    window, camera = tour.window, tour.camera
    await window.click("rail-home")
    for tab in ("all", "requests", "blocked"):
        await window.click(f"friends-{tab}")
        await camera.take(f"friends-{tab}")
    await window.click("conversation-Bolt")
    await window.sees("composer")
    await camera.take("conversation", main=True)
    await window.click("conversation-Night shift")
    await camera.take("group")
    await tour.menu("conversation-Night shift", "group-rename", "group-menu")
    await window.click("new-group")
    await window.click("choose-Astra")
    await window.click("choose-Bolt")
    await window.sees("group-name")
    await camera.take("new-group")
    await window.click("dialog-cancel")
    await window.misses("group-name")
    await window.click("account-menu")
    await tour.closing("account-add", "account-menu")
    await window.click("own-status")
    await window.sees("status-words")
    await camera.take("status-menu")
    await window.click("status-words")
    await tour.closing("status-dialog", "status-dialog")
    await window.press("Control+k")
    await window.sees("quick-switcher")
    await window.page.keyboard.type("ge")
    await window.sees("found-general")
    await tour.closing("quick-switcher", "quick-switcher")
    await window.press("Control+/")
    await tour.closing("shortcuts", "shortcuts")


async def server(tour: Tour) -> None:
    """A server as one sees it most of the time, and what hangs on its names."""
    window, camera = tour.window, tour.camera
    await enter_server(tour)
    general = tour.town.channels["general"]
    for name in ("echo", "halcyon"):
        await tour.town.people[name].api.messages.typing(general)
    await window.sees("typing")
    await camera.take("server", main=True, contrast=True)
    await window.click("member-Astra")
    await tour.closing("profile-card", "profile")
    await tour.menu("member-Bolt", "member-kick", "member-menu")
    for entry, dialog in (
        ("member-kick", "kick-yes"),
        ("member-ban", "ban-yes"),
        ("member-timeout", "timeout-yes"),
        ("member-nickname", "nickname-save"),
        ("member-report", "report-send"),
    ):
        await tour.by_menu("member-Bolt", entry, dialog, entry)
    await window.click("server-menu")
    await window.sees("server-nickname")
    await camera.take("server-menu")
    await window.click("server-invite")
    await window.click("invite-make")
    await tour.closing("invite-link", "invite")
    await tour.menu("channel-clips", "channel-edit", "channel-menu")
    await tour.by_menu("channel-clips", "channel-edit", "channel-save", "edit-channel")
    await tour.by_menu("channel-clips", "channel-delete", "confirm-yes", "delete-channel")
    await window.click("category-add-Text")
    await tour.closing("channel-create", "create-channel")
    await window.click("channel-strategy")
    await camera.take("empty-channel")
    await window.click("channel-general")
    await window.sees("composer")


async def enter_server(tour: Tour) -> None:
    """Go to the hero's own server, where the talk is."""
    window = tour.window
    await window.click(f"server-{HOME}")
    await window.sees("channel-general")
    await window.click("channel-general")
    await window.sees("composer")
    await window.find_all("message-").first.wait_for(state="attached")
    # It opens where one left off; what was said last is at the end.
    await window.page.wait_for_timeout(_OPENS_MS)
    await to_present(tour)


async def to_present(tour: Tour) -> None:
    """Go to the newest message, if one is not there."""
    window = tour.window
    if await window.find("jump-to-present").count():
        await window.click("jump-to-present")
        await window.misses("jump-to-present")


async def chat(tour: Tour) -> None:
    """What one does with messages."""
    window, camera = tour.window, tour.camera
    await enter_server(tour)
    pin, edge = (f"message-{tour.town.messages[number]}" for number in (-3, -4))
    await window.hover(pin)
    await window.sees("tool-more")
    await camera.take("message-tools", held=True)
    await tour.menu(pin, "menu-pin", "message-menu")
    await window.hover(edge)
    await window.click("tool-reply")
    await window.sees("reply-bar")
    await window.type("composer", "@a")
    await window.sees("offers")
    await camera.take("reply-and-mention")
    await window.click("composer")
    await window.press("Control+A")
    await window.press("Backspace")
    await window.misses("offers")
    await window.click("cancel-reply")
    await window.misses("reply-bar")
    await window.click("emoji-button")
    await window.click("emoji-group-faces")
    await tour.closing("emoji-picker", "emoji-picker")
    before = set(await window.identifiers("message-"))
    await window.type("composer", "I will be there, and I bring the map", enter=True)
    (own,) = await window.waits_for_more("message-", before)
    await window.hover(own)
    await window.click("tool-edit")
    await window.sees("edit-message")
    await camera.take("edit-message")
    # A change of the theme has taken its focus.
    await window.click("edit-message")
    await tour.close()
    await window.misses("edit-message")
    await tour.by_menu(own, "menu-delete", "delete-message-dialog", "delete-message")
    await attach(tour)
    await beside(tour)
    # Who comes through here in another language finds no trace.
    said = MessageId(UUID(own.removeprefix("message-")))
    await tour.town.hero.api.messages.delete(tour.town.channels["general"], said)


async def attach(tour: Tour) -> None:
    """Files on their way, and a picture as large as it is."""
    window, camera = tour.window, tour.camera
    files = [
        FilePayload(name="map.png", mimeType="image/png", buffer=paintings.landscape()),
        FilePayload(name="callouts.txt", mimeType="text/plain", buffer=b"A, B, mid\n" * 400),
    ]
    async with window.page.expect_file_chooser() as choosing:
        await window.click("attach")
    await (await choosing.value).set_files(files)
    await window.sees("upload-ready-map.png")
    await window.sees("upload-ready-callouts.txt")
    await camera.take("attach")
    await window.click("remove-map.png")
    await window.click("remove-callouts.txt")
    await tour.scroll_to("picture-round_12.png")
    await window.click("picture-round_12.png")
    await tour.closing("enlarged", "picture")
    await to_present(tour)


async def beside(tour: Tour) -> None:
    """What stands beside the messages."""
    window, camera = tour.window, tour.camera
    for panel in ("pins", "threads"):
        await window.click(f"panel-{panel}")
        await window.sees(panel)
        await camera.take(panel)
    await window.click("panel-search")
    await window.type("search-field", "round", enter=True)
    await window.sees("found-count")
    await camera.take("search", main=True)
    await tour.close()
    await window.click("thread-Flash timing")
    await window.sees("thread-composer")
    await camera.take("thread")
    await tour.close()


async def server_settings(tour: Tour) -> None:
    """Every part of the settings of a server."""
    window, camera = tour.window, tour.camera
    await enter_server(tour)
    await window.click("server-menu")
    await window.click("server-settings")
    for section in (
        *("overview", "roles", "channels", "see-as", "members", "invites", "emoji"),
        *("reports", "bans", "audit", "templates", "owner"),
    ):
        await window.click(f"section-{section}")
        if section == "roles":
            await window.click("role-Captains")
        await camera.take(f"server-settings-{section}")
    await window.click("section-owner")
    await window.click("server-delete")
    await tour.closing("delete-name", "delete-server")
    await window.click("close-settings")
    await window.sees("composer")


async def settings(tour: Tour) -> None:
    """Every part of one's own settings."""
    window, camera = tour.window, tour.camera
    await window.click("open-settings")
    for section in (
        *("account", "sessions", "devices", "sound", "keys"),
        *("notifications", "appearance", "privacy", "advanced"),
    ):
        await window.click(f"settings-{section}")
        main = section in {"account", "sound", "appearance"}
        await camera.take(f"settings-{section}", main=main)
    await keys_of_the_account(tour)
    await window.click("close-settings")
    await window.sees("open-settings")


async def keys_of_the_account(tour: Tour) -> None:
    """What is shown once, to be written down or scanned."""
    window, camera = tour.window, tour.camera
    await window.click("settings-devices")
    await window.click("phrase-show")
    await window.sees("phrase")
    await camera.take("settings-recovery-phrase")
    await window.click("link-ask")
    await window.sees("link-shown")
    await camera.take("settings-link-device")
    await window.click("settings-account")
    await tour.scroll_to("factor-password")
    await window.type("factor-password", PASSWORD)
    await window.click("factor-begin")
    await tour.scroll_to("factor-code")
    await camera.take("settings-second-factor")


async def ring(tour: Tour) -> None:
    """Somebody calls."""
    bolt = tour.town.people["bolt"].api
    talk = await bolt.people.open_conversation(tour.town.user(HERO))
    call = await bolt.voice.call(ChannelId(talk.channels[0].id))
    await tour.window.sees("incoming-call")
    await tour.camera.take("incoming-call")
    await bolt.voice.cancel(call.id)
    await tour.window.misses("incoming-call")


async def trouble(tour: Tour) -> None:
    """The server is gone: what is written meanwhile waits."""
    window = tour.window
    await enter_server(tour)
    await window.process.stop()
    await window.sees("trouble")
    await window.type("composer", "can anybody read this?", enter=True)
    await window.find_all("waits-").first.wait_for(state="attached")
    # What was being done when it went is said for a while.
    await window.page.wait_for_timeout(_NOTICE_MS)
    await tour.camera.take("no-connection")


CHAPTERS: dict[str, Callable[[Tour], Awaitable[None]]] = {
    "server": server,
    "settings": settings,
    "chat": chat,
    "home": home,
    "server_settings": server_settings,
    "ring": ring,
}
