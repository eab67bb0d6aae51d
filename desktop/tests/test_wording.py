"""Every word of the client is there in every language, with the same things put into it."""

from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.scripts.write_messages import Wording, all_wordings, catalogue, wordings
from sidetone.desktop.domain.wording import (
    ENGLISH,
    LANGUAGES,
    Language,
    language,
    speak,
    tr,
    trn,
)
from sidetone.desktop.infrastructure import catalogues
from sidetone.desktop.infrastructure.catalogues import DamagedError

OTHERS = LANGUAGES[1:]
WORDINGS = list(all_wordings())
HEADER = 'msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    yield
    speak(ENGLISH)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("spoken", OTHERS)
def test_every_text_is_translated(spoken: Language) -> None:
    known = catalogues.load(spoken).forms
    missing = sorted({f"{w.file}: {w.forms[0]}" for w in WORDINGS if w.forms[0] not in known})
    assert missing == [], "run ./just messages and translate these"


@pytest.mark.parametrize("spoken", OTHERS)
def test_a_translation_takes_what_the_text_takes(spoken: Language) -> None:
    known = catalogues.load(spoken)
    wrong = [
        text
        for one, texts in known.forms.items()
        for text in texts
        # "one message" may leave the number out.
        if placeholders(text) != placeholders(one) and placeholders(text) | {"n"} != {"n"}
    ]
    assert wrong == []


def test_the_code_puts_in_what_a_text_asks_for() -> None:
    wrong = [
        f"{w.file}:{w.line}"
        for w in WORDINGS
        if not all(placeholders(form) <= w.values for form in w.forms)
        or not w.values - {"n"} <= set().union(*map(placeholders, w.forms))
        # A brace that no value fills is not unescaped.
        or (not w.values and any("{" in form or "}" in form for form in w.forms))
    ]
    assert wrong == []


@pytest.mark.parametrize("spoken", OTHERS)
def test_a_text_has_as_many_forms_as_its_language(spoken: Language) -> None:
    known = catalogues.load(spoken)
    forms = {known.plural(n) for n in range(200)}
    one_word = {w.forms[0] for w in WORDINGS if len(w.forms) == 1}
    for one, texts in known.forms.items():
        assert len(texts) == (1 if one in one_word else len(forms)), one


@pytest.mark.parametrize("spoken", OTHERS)
def test_nothing_is_translated_that_nobody_says(spoken: Language) -> None:
    said = {w.forms[0] for w in WORDINGS}
    assert sorted(catalogues.load(spoken).forms.keys() - said) == [], "run ./just messages"


def test_the_recipe_keeps_what_is_translated() -> None:
    written = catalogue("de", WORDINGS)
    kept = {w.forms[0] for w in WORDINGS} & catalogues.load("de").forms.keys()
    assert catalogues.read("de", written).forms.keys() == kept


def test_the_language_changes_at_once() -> None:
    speak(catalogues.read("de", HEADER + 'msgid "Join {channel}"\nmsgstr "{channel} beitreten"\n'))
    assert language() == "de"
    assert tr("Join {channel}", channel="{Lobby}") == "{Lobby} beitreten"
    assert tr("Never translated") == "Never translated"
    speak(ENGLISH)
    assert tr("Join {channel}", channel="{Lobby}") == "Join {Lobby}"


def test_a_number_chooses_the_form() -> None:
    forms = 'msgid "{n} day"\nmsgid_plural "{n} days"\nmsgstr[0] "{n} Tag"\nmsgstr[1] "{n} Tage"\n'
    speak(catalogues.read("de", HEADER + forms))
    assert [trn("{n} day", "{n} days", n) for n in (0, 1, 2)] == ["0 Tage", "1 Tag", "2 Tage"]
    one_form = HEADER.replace("nplurals=2; plural=(n != 1);", "nplurals=1; plural=0;")
    speak(catalogues.read("zh", one_form + 'msgid "{n} day"\nmsgstr[0] "{n} 天"\n'))
    assert [trn("{n} day", "{n} days", n) for n in (1, 2)] == ["1 天", "2 天"]


@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], include_characters="\n\t")
    )
)
def test_any_text_comes_back_from_a_catalogue(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    quoted = quoted.replace("\t", "\\t")
    read = catalogues.read("de", f'{HEADER}msgid "x"\nmsgstr ""\n"{quoted}"\n')
    assert read.forms.get("x", ("",)) == (text,)


def test_what_is_fuzzy_or_obsolete_is_not_said() -> None:
    text = HEADER + '#, fuzzy\nmsgid "a"\nmsgstr "b"\n\n#~ msgid "c"\n#~ msgstr "d"\n'
    assert catalogues.read("de", text).forms == {}


@pytest.mark.parametrize(
    "text", ["", "msgid", HEADER + "nonsense", HEADER + '"astray"', HEADER + 'msgid "\\q"']
)
def test_a_damaged_catalogue_is_named(text: str) -> None:
    with pytest.raises(DamagedError):
        catalogues.read("de", text)


def test_a_text_that_is_no_literal_is_named(tmp_path: Path) -> None:
    (tmp_path / "screen.py").write_text("a = tr('fine', x=1)\nb = trn('one', many, 2)\n")
    found = wordings(tmp_path)
    assert next(found) == Wording("screen.py", 1, ("fine",), frozenset({"x"}))
    with pytest.raises(ValueError, match=r"screen\.py:2"):
        next(found)
