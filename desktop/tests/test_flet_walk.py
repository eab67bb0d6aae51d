"""What is found in a page, and made ready, is what Flet finds; Flet's own is loaded once more."""

import dataclasses
import importlib.util
import inspect
import weakref
from typing import Any

import flet as ft
import msgpack
import pytest
from flet.controls import object_patch
from flet.messaging.protocol import configure_encode_object_for_msgpack
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from desktop.tests.test_keep_open import Window
from sidetone.desktop.infrastructure import flet_walk
from sidetone.desktop.interface import hooks
from tests.waiting import until


def flets_own() -> Any:
    """Return the difference as Flet has it, whatever was done to the one in use."""
    spec = importlib.util.spec_from_file_location("flets_own", inspect.getfile(object_patch))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.DiffBuilder


FLET = flets_own()
# A tree is its kind and what is in it.
TREES = st.recursive(
    st.tuples(st.sampled_from(["text", "spans", "styled", "data", "chip"]), st.just(())),
    lambda inner: st.tuples(
        st.sampled_from(["column", "container", "stack", "menu", "nested"]),
        st.lists(inner, max_size=4),
    ),
    max_leaves=12,
)


class Acting(ft.Container):
    """Does something when it goes, as components do."""

    @override
    def will_unmount(self) -> None:
        self.data = "gone"


class Maker:
    """Makes controls, each of which knows which one it is."""

    def __init__(self) -> None:
        self.count = 0

    def make(self, tree: Any) -> ft.Control:
        kind, inner = tree
        self.count += 1
        return getattr(self, f"_{kind}")(self.count, [self.make(each) for each in inner])

    def _text(self, number: int, _: list[ft.Control]) -> ft.Control:
        return ft.Text("words", size=12, data=number)

    def _spans(self, number: int, _: list[ft.Control]) -> ft.Control:
        style = ft.TextStyle(weight=ft.FontWeight.W_700)
        inner = ft.TextSpan("c", data=number + 2000)
        return ft.Text(
            "", spans=[ft.TextSpan("a", style, spans=[inner], data=number + 1000)], data=number
        )

    def _styled(self, number: int, _: list[ft.Control]) -> ft.Control:
        style = ft.ButtonStyle(
            color={ft.ControlState.DEFAULT: "#000000"}, padding=ft.Padding.all(3)
        )
        return ft.FilledButton("press", style=style, on_click=print, data=number)

    def _data(self, number: int, _: list[ft.Control]) -> ft.Control:
        cell = ft.DataCell(ft.Text("cell", data=number + 1000))
        return ft.DataTable([ft.DataColumn(ft.Text("head"))], rows=[ft.DataRow([cell])])

    def _chip(self, number: int, _: list[ft.Control]) -> ft.Control:
        return ft.Chip(ft.Text("on"), leading=ft.Icon(ft.Icons.ADD), data=number)

    def _column(self, number: int, inner: list[ft.Control]) -> ft.Control:
        made = ft.Column(inner, spacing=0, data=number)
        made.spacing = 4
        return made

    def _container(self, number: int, inner: list[ft.Control]) -> ft.Control:
        border = ft.Border.only(left=ft.BorderSide(3, "#ffffff"))
        content = inner[0] if inner else None
        return ft.Container(content, border=border, height=4, data=number)

    def _stack(self, number: int, inner: list[ft.Control]) -> ft.Control:
        return ft.Stack([ft.Container(each, left=0) for each in inner], data=number)

    def _menu(self, number: int, inner: list[ft.Control]) -> ft.Control:
        return ft.PopupMenuButton(items=[ft.PopupMenuItem(each) for each in inner], data=number)

    def _nested(self, number: int, inner: list[ft.Control]) -> ft.Control:
        made = Acting(data=number)
        made._internals = {"parts": inner, "one": {"deep": inner[:1]}}
        return made


def told(found: list[Any], root: int) -> list[Any]:
    """Return of each control which one it is, and how it was made ready."""
    names = ("_frozen", "_initialized", "_dirty", "__changes")
    return [
        (
            type(each),
            each._i - root,
            each.parent and each.parent._i - root,
            [getattr(each, name, None) for name in names],
            {key: vars(value).keys() for key, value in each._values.items() if is_value(value)},
        )
        for each in found
    ]


def is_value(value: object) -> bool:
    return hasattr(type(value), "_is_flet_value")


def difference() -> Any:
    """Return what compares a page with another one, as Flet has it."""
    return FLET(None, None, ft.BaseControl)


@given(TREES, st.booleans(), st.booleans())
def test_what_comes_to_a_page_is_found_and_made_ready_as_by_flet(
    tree: Any, frozen: bool, known: bool
) -> None:
    said: list[Any] = []
    for find in (FLET.get_added_controls, flet_walk.added):
        builder, page = difference(), Maker().make(tree)
        around = ft.Container()
        builder._dataclass_added([page], around, frozen)
        if known:
            builder._dataclass_removed(page)
        found = list(find(builder))
        said.append(told([*found, around], page._i))
        assert found[0] is page
    assert said[0][:-1] == said[1][:-1]


@given(TREES, st.booleans(), st.booleans())
def test_what_acts_when_it_goes_is_found_as_by_flet(tree: Any, sent: bool, stays: bool) -> None:
    builder, page = difference(), Acting(Maker().make(tree))
    list(builder._configure_dataclass(page, None, frozen=not sent))
    if sent:
        send(page)
    builder._dataclass_removed([page])
    if stays:
        builder._dataclass_added(page, None, False)
    by_flet = list(FLET.get_removed_controls(builder))
    acting = [id(each) for each in by_flet if isinstance(each, Acting)]
    assert [id(each) for each in flet_walk.removed(builder)] == acting
    assert by_flet[-1] is page


def send(page: ft.Control) -> None:
    """Pack *page* for the window, which notes what is in it."""
    msgpack.packb(page, default=configure_encode_object_for_msgpack(ft.BaseControl))


async def test_what_went_from_a_window_hears_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_patch.DiffBuilder, "get_added_controls", flet_walk.added)
    monkeypatch.setattr(object_patch.DiffBuilder, "get_removed_controls", flet_walk.removed)
    heard: list[str] = []

    @ft.component
    def some() -> ft.Control:
        gone, go = hooks.state(False)
        inner = ft.Button("x", key="inner", on_click=lambda: heard.append("inner"))
        switch = ft.Button("x", key="switch", on_click=lambda: go(True))
        return ft.Column([switch] if gone else [switch, ft.Row([ft.Container(inner)])])

    window = await Window.of(some)
    inner = window.button("inner")
    await window.session.dispatch_event(inner, "click", None)
    await window.click("switch")
    await until(lambda: inner not in window.session.index)
    await window.session.dispatch_event(inner, "click", None)
    assert heard == ["inner"]


def test_a_control_in_itself_is_refused() -> None:
    builder = difference()
    text = ft.Text("a")
    builder._added_dataclasses[text._i] = text
    text._parent = weakref.ref(text)
    with pytest.raises(object_patch.ObjectPatchException):
        flet_walk.added(builder)


def test_nothing_of_any_control_is_passed_over() -> None:
    kinds = 0
    for _, kind in inspect.getmembers(ft, inspect.isclass):
        if not issubclass(kind, ft.BaseControl):
            continue
        try:
            control = kind()
        except (TypeError, ValueError, RuntimeError):
            continue
        mine = [id(each) for each in flet_walk._inside(control)]
        for field in dataclasses.fields(control):
            value = getattr(control, field.name)
            if not field.metadata.get("skip", False) and (
                isinstance(value, (list, dict)) or dataclasses.is_dataclass(value)
            ):
                assert id(value) in mine, (kind, field.name)
        kinds += 1
    assert kinds > 60
