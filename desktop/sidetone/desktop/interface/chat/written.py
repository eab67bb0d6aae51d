"""What was written, as it is read: styles, code, links, mentions, emoji, spoilers."""

from collections.abc import Callable
from typing import Final

import flet as ft

from sidetone.community import Community
from sidetone.desktop.application.account import Account
from sidetone.desktop.domain import markdown, names
from sidetone.desktop.domain.markdown import Part, Style
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ChannelId, FileId, UserId

_CODE_PIXELS: Final = 13
_EMOJI_PIXELS: Final = 22
_BIG_PIXELS: Final = 40
_HEADINGS: Final[dict[int, kit.Style]] = {1: "screen", 2: "title", 3: "heading"}


class Ink:
    """What parts of a text are drawn with: who may be meant, and whether spoilers are open."""

    def __init__(
        self, view: View, account: Account, community: Community | None, reveal: Callable[[], None]
    ) -> None:
        self.view = view
        self.account = account
        self.community = community
        self.reveal = reveal
        self.open = False
        emoji = community.emoji.values() if community is not None else ()
        self.emoji = {each.name: each.file for each in emoji}


@ft.component
def Written(
    view: View, account: Account, community: Community | None, text: str, *, edited: bool = False
) -> ft.Control:
    """Draw the text of a message."""
    opened, set_opened = hooks.state(initial=False)
    blocks = markdown.parse(text)
    mentioned = _mentioned(blocks)
    account.want_names(*mentioned)
    view.watch(*(Topic("user", user) for user in mentioned))
    ink = Ink(view, account, community, lambda: set_opened(True))
    ink.open = opened
    big = markdown.emoji_only(blocks)
    drawn = [_block(ink, block, big=big) for block in blocks]
    if edited:
        drawn.append(edited_mark())
    if len(drawn) == 1:
        return drawn[0]
    return ft.Column(drawn, spacing=4)


def edited_mark() -> ft.Control:
    """Return the small word under what was changed."""
    return kit.text(tr("(edited)"), "section", theme.FAINT)


def _mentioned(blocks: tuple[markdown.Block, ...]) -> list[UserId]:
    found = [
        UserId(part.id)
        for block in blocks
        if isinstance(block, markdown.Paragraph)
        for part in block.parts
        if isinstance(part, markdown.Mention) and part.kind == "user" and part.id is not None
    ]
    return list(dict.fromkeys(found))


def _block(ink: Ink, block: markdown.Block, *, big: bool) -> ft.Control:
    if isinstance(block, markdown.CodeBlock):
        return _code(block)
    style: kit.Style = _HEADINGS.get(block.level, "body")
    body = _flow(ink, block.parts, style, big=big)
    if block.marker:
        marker = kit.text(block.marker, color=theme.QUIET)
        body.expand = True
        body = ft.Row(
            [ft.Container(width=14 * block.indent), marker, body],
            spacing=8,
            vertical_alignment=ft.CrossAxisAlignment.START,
        )
    if block.quoted:
        bar = ft.BorderSide(3, theme.LINE)
        return ft.Container(
            body, border=ft.Border.only(left=bar), padding=ft.Padding.only(left=10)
        )
    return body


def _code(block: markdown.CodeBlock) -> ft.Control:
    text = ft.Text(
        block.text,
        font_family=theme.MONO,
        size=_CODE_PIXELS,
        color=theme.TEXT,
        selectable=True,
    )
    return ft.Container(
        text,
        bgcolor=theme.SIDE,
        border=ft.Border.all(1, theme.LINE),
        border_radius=8,
        padding=ft.Padding.symmetric(horizontal=12, vertical=9),
    )


def _flow(ink: Ink, parts: tuple[Part, ...], style: kit.Style, *, big: bool) -> ft.Control:
    """Return a paragraph: one text, or words and pictures in a row where emoji stand in it."""
    if any(isinstance(part, markdown.EmojiName) and part.name in ink.emoji for part in parts):
        return ft.Row(
            _pieces(ink, parts, style, big=big),
            wrap=True,
            spacing=0,
            run_spacing=2,
            vertical_alignment=ft.CrossAxisAlignment.CENTER,
        )
    if big:
        words = "".join(part.text for part in parts if isinstance(part, markdown.Words))
        return ft.Text(words, size=_BIG_PIXELS, font_family_fallback=[theme.EMOJI])
    if len(parts) == 1 and isinstance(parts[0], markdown.Words) and not parts[0].style:
        return kit.text(parts[0].text, style, selectable=True)
    spans = [span for part in parts for span in _spans(ink, part)]
    return kit.text("", style, spans=spans, selectable=True)


def _pieces(ink: Ink, parts: tuple[Part, ...], style: kit.Style, *, big: bool) -> list[ft.Control]:
    """Return single words and pictures, which a row breaks into lines."""
    pieces: list[ft.Control] = []
    for part in parts:
        file = ink.emoji.get(part.name) if isinstance(part, markdown.EmojiName) else None
        if file is not None and isinstance(part, markdown.EmojiName):
            pieces.append(
                hooks.keyed(
                    f"{len(pieces)}-{file}",
                    EmojiPicture,
                    ink.view,
                    ink.account,
                    file,
                    part.name,
                    _BIG_PIXELS if big else _EMOJI_PIXELS,
                )
            )
        elif isinstance(part, markdown.Words):
            words = part.text.replace("\n", " ").split(" ")
            for index, word in enumerate(words):
                text = word if index == len(words) - 1 else f"{word} "
                if text:
                    spans = _spans(ink, markdown.Words(text, part.style))
                    pieces.append(kit.text("", style, spans=spans))
        else:
            pieces.append(kit.text("", style, spans=_spans(ink, part)))
    return pieces


@ft.component
def EmojiPicture(view: View, account: Account, file: FileId, name: str, pixels: int) -> ft.Control:
    """Draw an emoji of the server; its name until the picture is here."""
    view.watch(Topic("file", file))
    picture = account.pictures.get(file)
    if picture is None:
        return kit.text(f":{name}:", color=theme.QUIET)
    return ft.Image(
        picture,
        width=pixels,
        height=pixels,
        fit=ft.BoxFit.CONTAIN,
        semantics_label=f":{name}:",
        tooltip=f":{name}:",
        gapless_playback=True,
    )


def _spans(ink: Ink, part: Part) -> list[ft.TextSpan]:
    match part:
        case markdown.Words(text, style):
            return [ft.TextSpan(text, _style(style) if style else None)]
        case markdown.Code(text):
            style_ = ft.TextStyle(
                font_family=theme.MONO, size=_CODE_PIXELS, bgcolor=theme.RAISED, color=theme.TEXT
            )
            return [ft.TextSpan(text, style_)]
        case markdown.Link(url, text):
            style_ = ft.TextStyle(color=theme.ACCENT, decoration=ft.TextDecoration.UNDERLINE)
            return [ft.TextSpan(text, style_, url=url)]
        case markdown.Mention():
            return [_mention(ink, part)]
        case markdown.EmojiName(name):
            return [ft.TextSpan(f":{name}:")]
        case markdown.Spoiler(parts):
            return _spoiler(ink, parts)


def _style(style: Style) -> ft.TextStyle:
    decoration = ft.TextDecoration.NONE
    if Style.UNDERLINE in style:
        decoration |= ft.TextDecoration.UNDERLINE
    if Style.STRIKE in style:
        decoration |= ft.TextDecoration.LINE_THROUGH
    return ft.TextStyle(
        weight=ft.FontWeight.W_700 if Style.BOLD in style else None,
        italic=Style.ITALIC in style,
        decoration=decoration,
    )


def _spoiler(ink: Ink, parts: tuple[Part, ...]) -> list[ft.TextSpan]:
    if ink.open:
        style = ft.TextStyle(bgcolor=theme.RAISED)
        return [ft.TextSpan(spans=[s for part in parts for s in _spans(ink, part)], style=style)]
    hidden = ft.TextStyle(color=theme.LINE, bgcolor=theme.LINE)
    said = markdown.said(parts, lambda each: called(ink.account, ink.community, each))
    words = "".join(said).strip()
    return [ft.TextSpan(words, hidden, on_click=ink.reveal, semantics_label="…")]


def _mention(ink: Ink, mention: markdown.Mention) -> ft.TextSpan:
    style = ft.TextStyle(color=theme.ACCENT, weight=ft.FontWeight.W_600, bgcolor=theme.RAISED)
    words = called(ink.account, ink.community, mention)
    if mention.kind != "channel" or mention.id is None:
        return ft.TextSpan(words, style)
    channel = ChannelId(mention.id)

    def go() -> None:
        if ink.account.knowledge.channel(channel) is not None:
            ink.view.open_channel(ink.account, channel)

    return ft.TextSpan(words, style, on_click=go)


def called(account: Account, community: Community | None, mention: markdown.Mention) -> str:
    """Return what stands for a mention."""
    knowledge, id_ = account.knowledge, mention.id
    if id_ is None:
        return mention.text
    if mention.kind == "user":
        return f"@{names.name_of(knowledge, UserId(id_), community)}"
    if mention.kind == "role":
        role = community.roles.get(id_) if community is not None else None
        return f"@{role.name if role is not None else '…'}"
    channel = knowledge.channel(ChannelId(id_))
    return f"#{channel.name if channel is not None else '…'}"


def plain(account: Account, community: Community | None, text: str) -> str:
    """Return the words of a message in one line, for where it is quoted."""
    return markdown.plain(text, lambda mention: called(account, community, mention))
