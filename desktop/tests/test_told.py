"""A refusal is said in the chosen language, whoever wrote it and whatever it names."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.scripts.refusal_words import Refused, refusals
from sidetone.chat.domain.member import checked_nickname
from sidetone.desktop.domain.wording import ENGLISH, LANGUAGES, Language, speak, told
from sidetone.desktop.infrastructure import catalogues
from sidetone.desktop.interface import kit
from sidetone.protocol.refusals import Invalid

OTHERS = {spoken: catalogues.load(spoken) for spoken in LANGUAGES[1:]}

CODE = """
RULE = "a rule"
KINDS = {"in": "microphone", "out": "loudspeaker"}

class Card:
    def __init__(self, kind):
        self._kind = KINDS[kind]

    def gone(self, reason):
        return Unavailable("gone", f"the {self._kind} is gone: {reason!r}")

def refuse(what, count_max):
    raise Conflict("many", f"there are {count_max + 1} {what} of {count_max}")

def ask(text, worn):
    refuse("old emoji", 3)
    refuse(str(text), 3)
    detail = "it is worn" if worn else RULE
    raise Invalid("worn", detail)

def computed(error):
    raise Invalid("computed", str(error))
    raise Invalid("translated", tr("Not this"))
"""


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    yield
    speak(ENGLISH)


@st.composite
def filled(draw: st.DrawFn, text: str) -> Mapping[str, str]:
    """Return values for the placeholders of *text* that are nothing like the rest of it."""
    parts = [*Formatter().parse(text)]
    fixed = "".join(part for part, *_ in parts)
    letters = st.characters(exclude_characters=fixed, exclude_categories=["Cs"])
    values = st.text(letters, min_size=1, max_size=20)
    return {name: draw(values) for _, name, *_ in parts if name}


@pytest.mark.parametrize("spoken", OTHERS)
@given(data=st.data())
def test_a_refusal_is_told_with_the_values_in_it(spoken: Language, data: st.DataObject) -> None:
    catalogue = OTHERS[spoken]
    speak(catalogue)
    text = data.draw(st.sampled_from(sorted(catalogue.refusals)))
    values = data.draw(filled(text))
    [translated] = catalogue.forms[text]
    assert told(text.format_map(values)) == translated.format_map(values)


@given(st.text())
def test_what_is_not_known_is_said_as_it_came(detail: str) -> None:
    speak(OTHERS["de"])
    assert told(detail) == detail


def test_english_needs_no_translation() -> None:
    assert told("use at least 12 characters") == "use at least 12 characters"


def test_the_longest_detail_is_read_to_its_end() -> None:
    """Patterns that tried each end of a value would outlast any test at these."""
    speak(OTHERS["de"])
    for text in OTHERS["de"].refusals:
        (before, first), *others = [each[:2] for each in Formatter().parse(text)]
        if first is not None and any(name for _, name in others):
            told(f"{before}x{others[0][0] * 100_000}x")


@pytest.mark.parametrize(
    ("spoken", "words"),
    [
        ("de", "Ein Spitzname hat höchstens 32 Zeichen"),
        ("zh", "昵称最多 32 个字符"),
    ],
)
def test_a_line_of_the_client_says_what_a_server_refused(spoken: Language, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_nickname("x" * 33)
    assert kit.sentence(refused.value.detail) == "A nickname has at most 32 characters"
    speak(OTHERS[spoken])
    assert kit.sentence(refused.value.detail) == words


def test_details_are_read_from_the_code(tmp_path: Path) -> None:
    folder = tmp_path / "services/shop/sidetone"
    folder.mkdir(parents=True)
    (folder / "shop.py").write_text(CODE)
    found = list(refusals(tmp_path, ("services/shop",)))
    assert Refused("services/shop/sidetone/shop.py", 10, found[0].text) == found[0]
    assert [each.text for each in found] == [
        "the microphone is gone: {reason}",
        "the loudspeaker is gone: {reason}",
        "there are {count_max} old emoji of {count_max_2}",
        "there are {count_max} {what} of {count_max_2}",
        "it is worn",
        "a rule",
    ]
