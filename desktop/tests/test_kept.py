"""What a long list keeps of its parts: the same object where nothing changed."""

import flet as ft

from sidetone.desktop.interface.hooks import Kept


@ft.component
def part(text: str) -> ft.Control:
    """Draw *text*."""
    return ft.Text(text)


def drawn(kept: Kept, **parts: str) -> dict[str, ft.Control]:
    """Draw a list of *parts*."""
    kept.begin()
    return {key: kept.use(key, part, text) for key, text in parts.items()}


def test_what_has_not_changed_is_the_same_object_whatever_comes_or_goes_around_it() -> None:
    kept = Kept()
    first = drawn(kept, a="one", b="two")
    second = drawn(kept, b="two", c="three")
    assert second["b"] is first["b"]
    assert drawn(kept, a="one", b="two", c="three")["c"] is second["c"]


def test_what_changed_is_another_one_of_the_same_key() -> None:
    kept = Kept()
    first = drawn(kept, a="one")
    second = drawn(kept, a="other")
    assert second["a"] is not first["a"]
    assert second["a"].key == first["a"].key == "a"


def test_what_was_not_drawn_is_not_kept() -> None:
    """It was taken off the screen, and what one has forgotten cannot be shown again."""
    kept = Kept()
    first = drawn(kept, a="one")
    drawn(kept)
    assert drawn(kept, a="one")["a"] is not first["a"]
