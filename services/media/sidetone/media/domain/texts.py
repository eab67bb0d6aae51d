"""Words of strangers, made fit to be shown: no signs that nobody sees, and an end."""

import unicodedata

# Control, format (the bidirectional overrides among them), surrogate, private, unassigned.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_SPACES = frozenset("\t\n\r\x0b\x0c\x85\u2028\u2029")
# Emoji of several signs are joined by these.
_JOINERS = frozenset("\u200c\u200d")


def without_controls(text: str) -> str:
    r"""Return *text* without the signs that nobody sees; line ends become spaces.

    >>> without_controls("a\x00b\u202ec\nd")
    'abc d'
    """
    return "".join(
        " " if sign in _SPACES else sign
        for sign in text
        if sign in _SPACES or sign in _JOINERS or unicodedata.category(sign) not in _UNSEEN
    )


def one_line(text: str, length_max: int) -> str:
    r"""Return *text* as one line of at most *length_max* signs.

    >>> one_line("  a  lot\n of   words ", 100), one_line("abcdef", 4)
    ('a lot of words', 'abc…')
    """
    # Whoever sends a megabyte of title gets no more work out of us than for a fit one.
    line = " ".join(without_controls(text[: length_max * 8]).split())
    return line if len(line) <= length_max else line[: length_max - 1].rstrip() + "…"
