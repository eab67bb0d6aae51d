"""What a page of the web says of itself: its Open Graph words, its title, its description.

Runs in a child process only: the parser is C, and the page is a stranger's.
"""

import codecs
import re

from selectolax.lexbor import LexborHTMLParser

from sidetone.media.infrastructure.child_jobs import PageWords

# Where pages declare their character set, and far enough for those that do it late.
_DECLARED_WITHIN_BYTES = 4096
_DECLARED = re.compile(
    rb"<meta[^>]{0,200}?charset\s{0,9}=\s{0,9}[\"']?([a-zA-Z0-9_.:-]{1,40})", re.IGNORECASE
)
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
# Others are no character sets of pages, and some cost more than the page is worth.
_CHARSETS = re.compile(
    r"utf-8|iso8859-\d+|cp125\d|koi8-[ru]|shift_jis|cp932|euc_jp|iso2022_jp|gb2312|gbk|gb18030"
    r"|big5|euc_kr|cp949|mac-roman|tis-620|cp874"
)
# What these are called is always read as their larger brother (WHATWG Encoding Standard).
_READ_AS = {"iso8859-1": "cp1252", "ascii": "cp1252", "gb2312": "gbk", "shift_jis": "cp932"}
_WORDS_LENGTH_MAX = 4096


def skimmed(content: bytes, charset: str | None) -> PageWords:
    """Return what the page in *content* says of itself; *charset* is what its sender claimed."""
    text = content.decode(_charset_of(content, charset), "replace")
    page = LexborHTMLParser(text.removeprefix("\ufeff"))
    return PageWords(
        title=_meta(page, "og:title", "twitter:title") or _title(page),
        description=_meta(page, "og:description", "description", "twitter:description"),
        site=_meta(page, "og:site_name"),
        image=_meta(page, "og:image:secure_url", "og:image", "og:image:url", "twitter:image"),
    )


def _meta(page: LexborHTMLParser, *names: str) -> str:
    """Return the first of *names* that says something."""
    for name in names:
        for key in ("property", "name"):
            for node in page.css(f'meta[{key}="{name}"]'):
                content = (node.attributes.get("content") or "").strip()
                if content:
                    return content[:_WORDS_LENGTH_MAX]
    return ""


def _title(page: LexborHTMLParser) -> str:
    node = page.css_first("title")
    return "" if node is None else node.text()[:_WORDS_LENGTH_MAX]


def _charset_of(content: bytes, claimed: str | None) -> str:
    """Return the codec of the page: by its mark, its sender, its own word, or the usual one."""
    for mark, codec in _MARKS.items():
        if content.startswith(mark):
            return codec
    declared = _DECLARED.search(content[:_DECLARED_WITHIN_BYTES])
    return _codec(claimed) or _codec(declared and declared.group(1).decode()) or "utf-8"


def _codec(name: str | None) -> str | None:
    try:
        codec = codecs.lookup(name or "").name
    except (LookupError, ValueError):
        return None
    codec = _READ_AS.get(codec, codec)
    return codec if _CHARSETS.fullmatch(codec) else None
