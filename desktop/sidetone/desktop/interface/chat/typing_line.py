"""Who else is writing."""

import flet as ft

from sidetone.desktop.domain import names
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import kit, theme
from sidetone.desktop.interface.chat.pane import Pane

_NAMED_MAX = 3
HEIGHT = 22


@ft.component
def TypingLine(pane: Pane) -> ft.Control:
    """Draw it in a place that is always kept free, so that nothing jumps."""
    pane.view.watch(Topic("typing", pane.channel))
    users = list(pane.account.knowledge.typing.get(pane.channel, {}))
    pane.account.want_names(*users)
    words = _words([names.name_of(pane.account.knowledge, u, pane.community) for u in users])
    line = kit.line(words, "section", theme.QUIET)
    return ft.Container(
        kit.semantics("typing", line, words or None) if words else None,
        height=HEIGHT,
        padding=ft.Padding.only(left=24, top=3),
    )


def _words(people: list[str]) -> str:
    if not people:
        return ""
    if len(people) == 1:
        return tr("{name} is typing…", name=people[0])
    if len(people) > _NAMED_MAX:
        return tr("Several people are typing…")
    return tr("{names} and {last} are typing…", names=", ".join(people[:-1]), last=people[-1])
