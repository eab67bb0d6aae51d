"""Where one writes: words, files, an answer, and who else is writing.

What stands in the text field is the client's: it is followed and not driven, so that no letter is
lost however fast somebody types; only what is sent, chosen or restored is written into it.
"""

from copy import copy

import flet as ft

from sidetone.desktop.application.send_message import send_message
from sidetone.desktop.application.upload_files import UploadFiles
from sidetone.desktop.domain import completion
from sidetone.desktop.domain.draft import Draft
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.chat.emoji_picker import pick_emoji
from sidetone.desktop.interface.chat.message_menu import begin_edit
from sidetone.desktop.interface.chat.offers import Suggestions, offers_for
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.desktop.interface.chat.reply_bar import ReplyBar
from sidetone.desktop.interface.chat.slow_mode import SlowMode, seconds_left
from sidetone.desktop.interface.chat.uploads_bar import pick_files, uploads_bar
from sidetone.permissions import Permission
from sidetone.protocol.refusals import Refusal

_LINES_MAX = 10
TEXT_LENGTH_MAX = 4_000
# From here on it is said how much room is left.
_NEARLY_FULL = 3_600


class Writing:
    """What one composer does: what is written, and what is offered for the word at the cursor."""

    def __init__(self, pane: Pane) -> None:
        self.pane = pane
        self.uploads = UploadFiles(pane.account, pane.channel)
        self.focused = False
        self.field_turn = 0
        self.buttons_turn = 0
        self.asked: completion.Asked | None = None
        self.offers: list[completion.Offer] = []
        self.chosen = 0
        self.selection: ft.TextSelection | None = None

    @property
    def draft(self) -> Draft:
        """What is written and not sent."""
        return self.pane.timeline.draft

    def _now_ms(self) -> int:
        return self.pane.account.clock.now_ms()

    def focus(self, cursor: int | None = None) -> None:
        """Let the user write on, at *cursor* or at the end.

        A field in which Enter sends does not listen when it is asked to take the focus: it is
        made anew instead, and takes what nothing else has.
        """
        end = len(self.draft.text) if cursor is None else cursor
        self.selection = ft.TextSelection(end, end)
        if not self.focused:
            self.field_turn += 1
        self.pane.draw_composer()

    def look(self, *, focused: bool) -> None:
        """Note whether the field has the focus."""
        self.focused = focused

    def take_by_tab(self) -> None:
        """Write what was offered; the button that Tab led to goes, and the focus comes back."""
        self.buttons_turn += 1
        self.focused = True
        self.take(self.offers[self.chosen])

    def changed(self, text: str) -> None:
        """Follow what was typed: tell others, and offer what the word can become."""
        old = self.draft.text
        if self.draft.typed(text, self._now_ms()):
            text = self.draft.text
            self.pane.draw_composer()
        cursor = completion.cursor_after(old, text)
        self._ask(text, cursor)
        privacy = self.pane.view.core.preferences.current.privacy
        tells = privacy.tells_typing and self.pane.account.connection == "online"
        if text.strip() and tells and self.pane.typing.due():
            self.pane.start(self.pane.typing())
        if bool(old.strip()) != bool(text.strip()) or max(len(old), len(text)) > _NEARLY_FULL:
            self.pane.draw_composer()

    def _ask(self, text: str, cursor: int) -> None:
        before = self.offers
        self.asked = completion.asked(text, cursor)
        self.offers = offers_for(self.pane, self.asked) if self.asked is not None else []
        self.chosen = 0
        if self.offers or before:
            self.pane.draw_composer()

    def move(self, by: int) -> None:
        """Choose another offer."""
        self.chosen = (self.chosen + by) % len(self.offers)
        self.pane.draw_composer()

    def take(self, offer: completion.Offer) -> None:
        """Write what was offered."""
        if self.asked is not None:
            if offer.written != offer.shown:
                self.draft.calls[offer.shown] = offer.written
            self.write(*completion.completed(self.draft.text, self.asked, offer))

    def write(self, text: str, cursor: int) -> None:
        """Let *text* stand in the field."""
        self.draft.text = text
        self.asked, self.offers = None, []
        self.focus(cursor)

    def enter(self) -> None:
        """Take what is offered, or send."""
        if self.offers:
            self.take(self.offers[self.chosen])
        else:
            self.send()

    def send(self) -> None:
        """Send what is written, if anything is and all of it is there."""
        draft, pane = self.draft, self.pane
        if draft.arriving:
            pane.view.notice(tr("Files are still on their way; send when they have arrived."))
            return
        left = seconds_left(pane)
        if left > 0:
            pane.view.notice(tr("Slow mode: write again in {n} seconds.", n=left))
            return
        if not draft.text.strip() and not draft.files:
            return
        text = completion.written(draft.text.strip(), draft.calls)
        if len(text) > TEXT_LENGTH_MAX:
            over = len(text) - TEXT_LENGTH_MAX
            pane.view.notice(tr("This is {n} characters too long; send it in parts.", n=over))
            return
        pane.start(self._send(text, copy(draft)))
        draft.clear(self._now_ms())
        pane.typing.sent()
        self.asked, self.offers = None, []

    async def _send(self, text: str, written: Draft) -> None:
        """Send *text*; what cannot be sent stands in the field again, as it was *written*."""
        pane, files = self.pane, tuple(written.files)
        try:
            await send_message(
                pane.account, pane.channel, text, reply_to=written.reply_to, files=files
            )
        except Refusal:
            if self.draft.empty:
                self.draft.take(written)
                self.focus()
            raise
        finally:
            # At once with the message below, so that a window is drawn once for both.
            pane.draw_composer()
        pane.draw_pending()
        if not pane.at_present:
            pane.go_to_present()

    def key(self, key: str) -> None:
        """Do what a key means that the field leaves to us."""
        if self.offers and key in {"Arrow Up", "Arrow Down"}:
            self.move(-1 if key == "Arrow Up" else 1)
        elif self.offers and key == "Tab":
            self.take_by_tab()
        elif key == "Escape":
            self._escape()
        elif key == "Arrow Up" and not self.draft.text:
            self._edit_last()

    def _escape(self) -> None:
        if self.offers:
            self.asked, self.offers = None, []
        else:
            self.draft.reply_to = None
        self.pane.draw_composer()

    def _edit_last(self) -> None:
        me = self.pane.account.id
        own = (m for m in reversed(self.pane.timeline.messages) if m.author == me)
        last = next((message for message in own if message.kind == "text"), None)
        if last is not None and self.pane.may(Permission.SEND_MESSAGES):
            begin_edit(self.pane, last)


@ft.component
def Composer(pane: Pane) -> ft.Control:
    """Draw where one writes; Enter sends, Shift+Enter begins a new line."""
    pane.view.watch(Topic("draft", pane.channel), pane.home)
    writing, _ = hooks.state(Writing(pane))
    pane.focus_composer = writing.focus
    why_not = _why_not(pane)
    if why_not:
        closed = kit.text(why_not, color=theme.FAINT)
        return ft.Container(
            kit.semantics("composer-closed", closed, why_not),
            bgcolor=theme.RAISED,
            border_radius=12,
            margin=ft.Margin.only(left=18, right=18),
            padding=ft.Padding.symmetric(horizontal=16, vertical=13),
        )
    box = ft.Container(
        ft.Column([_files(writing), _bar(writing)], spacing=0),
        bgcolor=theme.RAISED,
        border=ft.Border.all(1, theme.LINE),
        border_radius=12,
        padding=ft.Padding.symmetric(horizontal=6, vertical=3),
    )
    # Always the same parts in the same order: the field stays the one that has the focus.
    return ft.Container(
        ft.Column([_above(writing), box], spacing=0, tight=True),
        padding=ft.Padding.only(left=18, right=18),
    )


def _above(writing: Writing) -> ft.Control:
    """Return what stands over the field: what a word can become, and what is answered."""
    parts: list[ft.Control] = []
    if writing.offers:
        parts.append(
            hooks.keyed("offers", Suggestions, writing.offers, writing.chosen, writing.take)
        )
    reply_to = writing.draft.reply_to
    if reply_to is not None:
        parts.append(hooks.keyed(f"reply-{reply_to}", ReplyBar, writing.pane, reply_to))
    return ft.Column(parts, spacing=4, tight=True)


def _files(writing: Writing) -> ft.Control:
    if not writing.draft.uploads:
        return ft.Container(visible=False)
    return uploads_bar(writing.uploads)


def _why_not(pane: Pane) -> str:
    """Return why one cannot write here, if so."""
    known = pane.known
    if known is None:
        return tr("This channel is there no more.")
    if known.archived:
        return tr("This thread was put away. Open it again to write.")
    if pane.may(Permission.SEND_MESSAGES):
        return ""
    member = pane.community.members.get(pane.account.id) if pane.community is not None else None
    if member is not None and member.timeout_until_ms > pane.account.clock.now_ms():
        return tr("You are in a timeout: you can read, and write again when it is over.")
    return tr("You may read here, but not write.")


def _bar(writing: Writing) -> ft.Control:
    pane, draft = writing.pane, writing.draft
    hint = _hint(pane)
    selection, writing.selection = writing.selection, None

    def change(event: ft.Event[ft.TextField]) -> None:
        writing.changed(event.control.value)

    box = ft.TextField(
        value=draft.text,
        selection=selection,
        on_change=change,
        on_submit=writing.enter,
        on_focus=lambda: writing.look(focused=True),
        on_blur=lambda: writing.look(focused=False),
        on_paste_files=lambda e: _paste(writing, e.files),
        hint_text=hint,
        hint_max_lines=1,
        hint_style=ft.TextStyle(color=theme.FAINT),
        color=theme.TEXT,
        border=ft.InputBorder.NONE,
        multiline=True,
        shift_enter=True,
        ignore_up_down_keys=False,
        min_lines=1,
        max_lines=_LINES_MAX,
        autofocus=True,
        content_padding=ft.Padding.symmetric(horizontal=6, vertical=13),
    )
    listener = ft.KeyboardListener(
        kit.semantics(_name(pane), box, hint), on_key_down=lambda e: writing.key(e.key)
    )
    field = ft.Container(listener, expand=True, key=f"field-{writing.field_turn}")
    left = TEXT_LENGTH_MAX - len(draft.text)
    room = kit.text(str(left), "label", theme.BAD if left < 0 else theme.FAINT)
    room.visible = len(draft.text) > _NEARLY_FULL
    return ft.Row(
        [
            _attach(writing),
            field,
            ft.Row(
                [room, hooks.keyed("slow", SlowMode, pane), *_buttons(writing)],
                spacing=0,
                key=f"buttons-{writing.buttons_turn}",
            ),
        ],
        spacing=0,
        vertical_alignment=ft.CrossAxisAlignment.END,
    )


def _attach(writing: Writing) -> ft.Control:
    pane = writing.pane
    button = kit.icon_button(
        "attach",
        ft.Icons.ADD_CIRCLE_OUTLINE,
        tr("Attach files"),
        lambda: pane.start(pick_files(pane, writing.uploads)),
    )
    button.visible = pane.may(Permission.ATTACH_FILES)
    button.key = "attach"
    return button


def _buttons(writing: Writing) -> list[ft.Control]:
    pane, draft = writing.pane, writing.draft
    ready = bool(draft.text.strip() or draft.files)
    color = theme.ACCENT if ready else theme.FAINT
    return [
        kit.icon_button(
            "emoji-button",
            ft.Icons.EMOJI_EMOTIONS_OUTLINED,
            tr("Emoji"),
            lambda: pick_emoji(pane, lambda text: _insert(writing, text)),
        ),
        kit.icon_button("send", ft.Icons.SEND, tr("Send"), writing.send, color=color),
    ]


def _name(pane: Pane) -> str:
    """Return how the field is found: a thread stands beside its channel, and has its own."""
    known = pane.known
    return "thread-composer" if known is not None and known.kind == "thread" else "composer"


def _hint(pane: Pane) -> str:
    known = pane.known
    if known is None:
        return ""
    if known.kind == "direct":
        return tr("Write a message")
    return tr("Message #{channel}", channel=known.name)


def _insert(writing: Writing, text: str) -> None:
    old = writing.draft.text
    space = " " if old and not old.endswith((" ", "\n")) else ""
    new = f"{old}{space}{text} "
    writing.write(new, len(new))


def _paste(writing: Writing, files: list[ft.PastedFile]) -> None:
    pane = writing.pane
    if not pane.may(Permission.ATTACH_FILES):
        pane.view.notice(tr("You may not send files here."), bad=True)
        return
    for file in files:
        content = file.bytes

        async def read(content: bytes = content) -> bytes:
            return content

        try:
            name = file.name or tr("picture.png")
            writing.uploads.add(name, len(content), read, file.mime_type)
        except Refusal as refusal:
            pane.view.notice(kit.sentence(refusal.detail), bad=True)
            return
