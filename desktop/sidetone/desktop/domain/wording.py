"""What the client says, in the language that was chosen: the one way to put words on a screen.

Write ``tr("Join {channel}", channel=name)`` and ``trn("{n} message", "{n} messages", count)``.
The first arguments are literals in English, so that they can be found in the code and translated;
what varies goes in by name. The language changes at once and for the whole process: look words
up when something is drawn, never when a module is imported. ``./just messages`` writes what is
new into the catalogues, and a test names what is not translated.

What a server or a library refuses arrives as an English sentence: ``told`` says it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from string import Formatter
from typing import Final, Literal, LiteralString, TypeAlias, get_args

import msgspec

Language: TypeAlias = Literal["en", "de", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
# What a language calls itself: people must find theirs in a list that they cannot read.
NATIVE_NAMES: Final[Mapping[Language, str]] = {"en": "English", "de": "Deutsch", "zh": "中文"}


class Catalogue(msgspec.Struct, frozen=True):
    """The words of one language.

    *forms* are translations by their English text, one for each plural form; *plural* chooses
    the form for a number; *refusals* are those of the English texts that ``told`` knows.
    """

    language: Language
    forms: Mapping[str, tuple[str, ...]]
    plural: Callable[[int], int]
    refusals: frozenset[str] = frozenset()


def one_or_many(n: int) -> int:
    """Choose between two forms, as English and German do."""
    return int(n != 1)


def always_one(_: int) -> int:
    """Choose the only form there is, as Chinese does."""
    return 0


ENGLISH: Final = Catalogue("en", {}, one_or_many)


class _Spoken:
    """The one catalogue that is in use, and how its refusals with values in them look."""

    catalogue = ENGLISH
    patterns: Sequence[tuple[re.Pattern[str], str]] | None = ()


def speak(catalogue: Catalogue) -> None:
    """Use the words of *catalogue* from now on; who shows words must be drawn anew."""
    _Spoken.catalogue, _Spoken.patterns = catalogue, None


def language() -> Language:
    """Return the language that is spoken now."""
    return _Spoken.catalogue.language


def tr(text: LiteralString, /, **values: object) -> str:
    """Return *text* in the spoken language, with ``{name}`` replaced by the value of that name.

    What is not translated is said in English.

    >>> tr("Join {channel}", channel="Lobby")
    'Join Lobby'
    """
    return _filled(_Spoken.catalogue.forms.get(text, (text,))[0], values)


def trn(one: LiteralString, many: LiteralString, n: int, /, **values: object) -> str:
    """Return the form for *n* things; ``{n}`` stands for the number in either.

    >>> trn("{n} message", "{n} messages", 1), trn("{n} message", "{n} messages", 0)
    ('1 message', '0 messages')
    """
    catalogue = _Spoken.catalogue
    forms = catalogue.forms.get(one)
    text = (one, many)[one_or_many(n)] if forms is None else forms[catalogue.plural(n)]
    return _filled(text, {"n": n, **values})


def told(detail: str) -> str:
    """Return the refusal *detail* in the spoken language, or as it came where it is not known.

    What the sentence says of its own, such as a number or a name, stays as it is.

    >>> told("there is no such channel, or you may not see it")
    'there is no such channel, or you may not see it'
    """
    catalogue = _Spoken.catalogue
    if detail in catalogue.refusals:
        return catalogue.forms[detail][0]
    if _Spoken.patterns is None:
        _Spoken.patterns = _patterns(catalogue)
    for pattern, translated in _Spoken.patterns:
        if match := pattern.fullmatch(detail):
            return _filled(translated, match.groupdict())
    return detail


def fitting(locale: str) -> Language:
    """Return the language for what a system calls its *locale*, English where we have none.

    >>> fitting("de_AT.UTF-8"), fitting("zh-Hans-CN"), fitting("C"), fitting("")
    ('de', 'zh', 'en', 'en')
    """
    spoken: list[Language] = [known for known in LANGUAGES if locale.lower().startswith(known)]
    return spoken[0] if spoken else "en"


def _filled(text: str, values: Mapping[str, object]) -> str:
    return text.format_map(values) if values else text


def _patterns(catalogue: Catalogue) -> Sequence[tuple[re.Pattern[str], str]]:
    """Return what finds the values in a refusal, beside its translation; the most exact first."""
    found: list[tuple[int, re.Pattern[str], str]] = []
    for text in catalogue.refusals:
        parts = [(fixed, name) for fixed, name, _, _ in Formatter().parse(text)]
        if any(name for _, name in parts):
            exactness = sum(len(fixed) for fixed, _ in parts)
            found.append((exactness, _pattern(parts), catalogue.forms[text][0]))
    found.sort(key=lambda each: (-each[0], each[1].pattern))
    return [(pattern, translated) for _, pattern, translated in found]


def _pattern(parts: Sequence[tuple[str, str | None]]) -> re.Pattern[str]:
    """Return a pattern that takes a time linear in what it reads.

    A value ends where the text after it first stands (the atomic groups), and is never tried with
    another end: that could not help, for it leaves the most to those that follow.
    """
    before, _ = parts[0]
    names = [name for _, name in parts if name]
    after = [*(fixed for fixed, _ in parts[1:]), ""][: len(names)]
    *inner, last = zip(names, after, strict=True)
    found = "".join(f"(?>(?P<{name}>.+?){re.escape(fixed)})" for name, fixed in inner)
    end = f"(?P<{last[0]}>.+){re.escape(last[1])}"
    return re.compile(re.escape(before) + found + end, re.DOTALL)
