"""What is written in a message, taken apart: the Markdown of chats, mentions, emoji, links.

Pure, and for every text there is a result: what means nothing is plain words. Nothing inside of
code has a meaning, as on the server, which decides in the same way whom a message calls.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from enum import IntFlag
from functools import lru_cache
from typing import Final, Literal, TypeAlias
from uuid import UUID

import msgspec


class Style(IntFlag):
    """How words stand out; several at once."""

    PLAIN = 0
    BOLD = 1
    ITALIC = 2
    UNDERLINE = 4
    STRIKE = 8


class Words(msgspec.Struct, frozen=True):
    """Text of one style."""

    text: str
    style: Style = Style.PLAIN


class Code(msgspec.Struct, frozen=True):
    """Text that is meant as it stands, within a line."""

    text: str


class Link(msgspec.Struct, frozen=True):
    """An address, and the words that stand for it."""

    url: str
    text: str


class Mention(msgspec.Struct, frozen=True):
    """Somebody or something that is called by its id; everyone has none."""

    kind: Literal["user", "role", "channel", "everyone"]
    id: UUID | None = None
    text: str = ""


class EmojiName(msgspec.Struct, frozen=True):
    """What may be an emoji of the server: ``:name:``."""

    name: str


class Spoiler(msgspec.Struct, frozen=True):
    """What is seen only by who wants to."""

    parts: tuple["Part", ...]


Part: TypeAlias = Words | Code | Link | Mention | EmojiName | Spoiler


class Paragraph(msgspec.Struct, frozen=True):
    """Lines of text; *level* above zero is a heading, *quoted* what another said.

    *marker* is what stands before an item of a list, at a depth of *indent*.
    """

    parts: tuple[Part, ...]
    level: int = 0
    quoted: bool = False
    marker: str = ""
    indent: int = 0


class CodeBlock(msgspec.Struct, frozen=True):
    """Lines of code, in a language if it was named."""

    text: str
    language: str = ""


Block: TypeAlias = Paragraph | CodeBlock

# Marks within marks; deeper ones are plain words.
_DEPTH_MAX: Final = 6
# More of them are words among which emoji stand.
_BIG_MAX: Final = 27
_UUID: Final = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_FENCE: Final = re.compile(r"```(?:([\w+#.-]{1,20})\n)?(.*?)```", re.DOTALL)
_LINE: Final = re.compile(
    r"(?P<heading>#{1,3}) +(?=\S)|(?P<indent> {0,6})(?P<marker>[-*]|\d{1,4}[.)]) +(?=\S)"
)
_TOKEN: Final = re.compile(
    r"(?P<escape>\\[\\*_~|`:<\[@#>-])"
    r"|(?P<code>`[^`\n]+`)"
    r"|\[(?P<label>[^\[\]\n]{1,300})\]\((?P<target>https?://[^\s()<>]{1,2000})\)"
    r"|<(?P<hushed>https?://[^\s<>]{1,2000})>"
    r"|(?P<url>https?://[^\s<>\"']{1,2000})"
    rf"|<@(?P<user>{_UUID})>|<@&(?P<role>{_UUID})>|<#(?P<channel>{_UUID})>"
    r"|(?<![\w@])(?P<everyone>@(?:everyone|here))\b"
    r"|:(?P<emoji>[A-Za-z0-9_]{2,32}):"
    r"|(?P<mark>\*\*|__|~~|\|\||\*|_)"
)
_CLOSING: Final = {
    "**": re.compile(r"(?<=\S)\*\*(?!\*)"),
    "__": re.compile(r"(?<=\S)__(?!_)"),
    "~~": re.compile(r"(?<=\S)~~"),
    "||": re.compile(r"\|\|"),
    "*": re.compile(r"(?<![\s*])\*(?!\*)"),
    "_": re.compile(r"(?<![\s_])_(?!\w)"),
}
_STYLES: Final = {
    "**": Style.BOLD,
    "__": Style.UNDERLINE,
    "~~": Style.STRIKE,
    "*": Style.ITALIC,
    "_": Style.ITALIC,
}
# What a sentence ends with does not belong to an address in it.
_TRAILING: Final = ".,;:!?)]}*_~|"


# A message is read aloud and drawn, and drawn anew when the mouse comes over it.
@lru_cache(maxsize=512)
def parse(text: str) -> tuple[Block, ...]:
    """Return the blocks of *text*, from the top.

    >>> parse("**gg** all")[0].parts
    (Words(text='gg', style=<Style.BOLD: 1>), Words(text=' all', style=<Style.PLAIN: 0>))
    """
    blocks: list[Block] = []
    place = 0
    for fence in _FENCE.finditer(text):
        if not fence[2].strip():
            continue
        blocks += _paragraphs(text[place : fence.start()])
        blocks.append(CodeBlock(fence[2].strip("\n"), fence[1] or ""))
        place = fence.end()
    return (*blocks, *_paragraphs(text[place:]))


def emoji_only(blocks: tuple[Block, ...]) -> bool:
    """Return whether a message is nothing but a few emoji, which are shown large.

    >>> emoji_only(parse("🔥 🎉")), emoji_only(parse("🔥 nice")), emoji_only(parse("12"))
    (True, False, False)
    """
    if len(blocks) != 1 or not isinstance(blocks[0], Paragraph):
        return False
    block, count = blocks[0], 0
    if block.quoted or block.marker or block.level:
        return False
    for part in block.parts:
        match part:
            case EmojiName():
                count += 1
            case Words(text):
                signs = [char for char in text if not char.isspace()]
                if not all(_is_emoji_part(char) for char in signs):
                    return False
                count += sum(unicodedata.category(char) == "So" for char in signs)
            case _:
                return False
    return 0 < count <= _BIG_MAX


def _unnamed(mention: Mention) -> str:
    return mention.text or "@…"


def plain(text: str, called: Callable[[Mention], str] = _unnamed) -> str:
    """Return the words of *text* in one line and without marks, for where it is quoted.

    *called* says what a mention is shown as.
    """
    parts: list[str] = []
    for block in parse(text):
        if isinstance(block, CodeBlock):
            parts.append(block.text)
        else:
            parts.extend(said(block.parts, called))
    return " ".join("".join(parts).split())


def said(parts: tuple[Part, ...], called: Callable[[Mention], str]) -> Iterator[str]:
    """Yield the words of *parts*; those of spoilers stay hidden."""
    for part in parts:
        match part:
            case Words(text) | Code(text) | Link(_, text):
                yield text
            case Mention():
                yield called(part)
            case EmojiName(name):
                yield f":{name}:"
            case Spoiler():
                yield "▒▒▒"
    yield " "


def _is_emoji_part(char: str) -> bool:
    """Return whether *char* is an emoji, or what varies or joins them."""
    return unicodedata.category(char) in {"So", "Sk"} or char in "\u200d\ufe0f\u20e3"


# --- Lines ---


def _paragraphs(text: str) -> Iterator[Paragraph]:
    """Yield what stands between code: lines that belong together are one paragraph."""
    lines: list[str] = []
    quoted = False
    for line in text.strip("\n").split("\n"):
        in_quote = line.startswith(("> ", ">")) and line[1:2] in {" ", ""}
        words = line[2:] if in_quote else line
        match = _LINE.match(words)
        if in_quote != quoted or match is not None:
            yield from _joined(lines, quoted=quoted)
            lines, quoted = [], in_quote
        if match is None:
            lines.append(words)
            continue
        parts = _parts(words[match.end() :])
        if match["heading"]:
            yield Paragraph(parts, level=len(match["heading"]), quoted=quoted)
        else:
            marker = "•" if match["marker"] in "-*" else match["marker"]
            indent = len(match["indent"]) // 2
            yield Paragraph(parts, quoted=quoted, marker=marker, indent=indent)
    yield from _joined(lines, quoted=quoted)


def _joined(lines: list[str], *, quoted: bool) -> Iterator[Paragraph]:
    text = "\n".join(lines).strip("\n")
    if text.strip():
        yield Paragraph(_parts(text), quoted=quoted)


# --- Parts of a line ---


def _parts(text: str) -> tuple[Part, ...]:
    found: list[Part] = []
    for part in _scan(text, Style.PLAIN, 0):
        last = found[-1] if found else None
        if isinstance(part, Words) and isinstance(last, Words) and last.style == part.style:
            found[-1] = Words(last.text + part.text, part.style)
        elif not isinstance(part, Words) or part.text:
            found.append(part)
    return tuple(found)


def _scan(text: str, style: Style, depth: int) -> Iterator[Part]:
    place = 0
    while (match := _TOKEN.search(text, place)) is not None:
        yield Words(text[place : match.start()], style)
        place = match.end()
        mark = match["mark"]
        if mark is None:
            part, place = _atom(match, style)
            yield part
            continue
        closing = _closing(text, match) if depth < _DEPTH_MAX else None
        if closing is None:
            yield Words(mark, style)
            continue
        inside = text[match.end() : closing.start()]
        if mark == "||":
            yield Spoiler(_merged(_scan(inside, style, depth + 1)))
        else:
            yield from _scan(inside, style | _STYLES[mark], depth + 1)
        place = closing.end()
    yield Words(text[place:], style)


def _merged(parts: Iterator[Part]) -> tuple[Part, ...]:
    return tuple(part for part in parts if not isinstance(part, Words) or part.text)


def _closing(text: str, opening: re.Match[str]) -> re.Match[str] | None:
    """Return where what *opening* begins ends, if it begins anything."""
    mark, start, end = opening["mark"], opening.start(), opening.end()
    if mark != "||" and text[end : end + 1].isspace():
        return None
    if mark in {"_", "__"} and start and (text[start - 1].isalnum() or text[start - 1] == "_"):
        return None
    closing = _CLOSING[mark].search(text, end + 1)
    return closing if closing is not None and text[end : closing.start()].strip() else None


def _atom(match: re.Match[str], style: Style) -> tuple[Part, int]:  # noqa: C901, PLR0911 (a case each)
    """Return the part that *match* is, and where the text goes on."""
    end = match.end()
    found = {name: value for name, value in match.groupdict().items() if value is not None}
    match found:
        case {"escape": escaped}:
            return Words(escaped[1:], style), end
        case {"code": code}:
            return Code(code[1:-1]), end
        case {"label": label, "target": target}:
            return Link(target, label), end
        case {"hushed": url}:
            return Link(url, url), end
        case {"url": url}:
            kept = url.rstrip(_TRAILING)
            return Link(kept, kept), match.start() + len(kept)
        case {"emoji": name}:
            return EmojiName(name), end
        case {"everyone": text}:
            return Mention("everyone", None, text), end
        case {"user": id_}:
            return Mention("user", UUID(id_)), end
        case {"role": id_}:
            return Mention("role", UUID(id_)), end
        case _:
            return Mention("channel", UUID(found["channel"])), end
