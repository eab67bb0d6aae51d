"""What is found by a few letters, and in what order people and conversations stand."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from sidetone.desktop.domain.quick_switch import SHOWN_MAX, Target, found, score_of

NAMES = ["general", "Game night", "strategy", "Northern Gate", "clips", "Lounge", "ada", "Second"]


def _targets(*names: str, waiting: str = "") -> list[Target]:
    return [
        Target("channel", name, "", UUID(int=0), UUID(int=number), waiting=name == waiting)
        for number, name in enumerate(names)
    ]


def _found(query: str, *names: str) -> list[str]:
    return [each.name for each in found(query, _targets(*names))]


def test_the_likeliest_stands_first() -> None:
    assert _found("ge", *NAMES)[0] == "general"
    assert _found("gn", *NAMES)[0] == "Game night"
    assert _found("ng", *NAMES)[0] == "Northern Gate"
    assert _found("gate", *NAMES) == ["Northern Gate"]
    assert _found("#strat", *NAMES) == ["strategy"]
    assert _found("  LOUNGE ", *NAMES) == ["Lounge"]
    assert _found("an", "banana", "An apple") == ["An apple", "banana"]
    assert _found("ab", "axxb", "a-b", "ab") == ["ab", "a-b", "axxb"]


def test_without_letters_what_waits_stands_first() -> None:
    targets = _targets(*NAMES, waiting="clips")
    assert [each.name for each in found("", targets)][:2] == ["clips", "general"]
    assert len(found("", _targets(*map(str, range(50))))) == SHOWN_MAX


@given(st.text(max_size=12), st.lists(st.text(max_size=20), max_size=20))
def test_all_that_is_found_has_the_letters_in_order(query: str, names: list[str]) -> None:
    wanted = "".join(query.casefold().split()).lstrip("#@")
    for name in _found(query, *names):
        rest = iter(name.casefold())
        assert all(letter in rest for letter in wanted)


@given(st.text(alphabet="abc ", min_size=1, max_size=10), st.data())
def test_every_name_is_found_by_letters_of_it(name: str, data: st.DataObject) -> None:
    places = data.draw(st.sets(st.integers(0, len(name) - 1), min_size=1).map(sorted))
    wanted = "".join(name[place] for place in places).replace(" ", "")
    if wanted:
        assert score_of(wanted, name) is not None


@given(st.text(alphabet="abcdef", min_size=2, max_size=10))
def test_the_beginning_of_a_name_fits_better_than_its_end(name: str) -> None:
    whole = score_of(name, name)
    inside = score_of(name, "x" + name)
    assert whole is not None
    assert inside is not None
    assert whole > inside
