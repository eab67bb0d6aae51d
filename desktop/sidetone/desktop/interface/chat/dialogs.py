"""Small questions that the chat asks: what a thread is called, and why something is reported."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

import flet as ft

from sidetone.desktop.application.threads import open_thread, rename_thread
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.desktop.interface.chat.written import plain
from sidetone.desktop.interface.forms import Doing
from sidetone.protocol.ids import ChannelId
from sidetone.protocol.messages import Message

_NAME_LENGTH_MAX = 100
_REASON_LENGTH_MAX = 1_000

Answer: TypeAlias = Callable[[str], Coroutine[Any, Any, None]]


def ask_thread_name(pane: Pane, message: Message) -> None:
    """Begin a thread at *message* under a name that is offered from its words."""

    async def begin(name: str) -> None:
        pane.view.go(thread=await open_thread(pane.account, message, name))

    words = plain(pane.account, pane.community, message.text)[:40].strip()
    _ask(pane, tr("Begin a thread"), tr("Name of the thread"), words, begin)


def ask_new_name(pane: Pane, thread: ChannelId, name: str) -> None:
    """Call a thread something else."""

    async def rename(new: str) -> None:
        await rename_thread(pane.account, thread, new)

    _ask(pane, tr("Rename the thread"), tr("Name of the thread"), name, rename)


def report(pane: Pane, message: Message) -> None:
    """Tell the moderators about *message*."""

    async def tell(reason: str) -> None:
        await pane.account.client.api.moderation.report(
            message.server,
            message.author,
            reason,
            channel=message.channel,
            message=message.id,
        )
        pane.view.notice(tr("The moderators have been told."))

    _ask(pane, tr("Report this message"), tr("What is wrong with it?"), "", tell)


def _ask(pane: Pane, title: str, label: str, first: str, answer: Answer) -> None:
    question = hooks.apart(Question, pane, title, label, first, answer)
    pane.view.open(kit.sheet(question))


@ft.component
def Question(pane: Pane, title: str, label: str, first: str, answer: Answer) -> ft.Control:
    """Ask for one line; Enter answers."""
    text = hooks.entry(first)
    doing = Doing()

    async def finish() -> None:
        await answer(text.value)
        pane.view.close()

    def done() -> None:
        if text.value.strip():
            pane.start(doing.run(finish))

    empty = doing.busy or not text.value.strip()

    return kit.semantics(
        "question",
        ft.Column(
            [
                kit.text(title, "title"),
                kit.field(
                    "question-field",
                    label,
                    text.value,
                    text.set,
                    autofocus=True,
                    on_submit=done,
                    max_length=_NAME_LENGTH_MAX if first else _REASON_LENGTH_MAX,
                ),
                *doing.shown("question-problem"),
                ft.Row(
                    [
                        kit.button("question-cancel", tr("Cancel"), pane.view.close, kind="quiet"),
                        kit.button("question-done", tr("Done"), done, disabled=empty),
                    ],
                    alignment=ft.MainAxisAlignment.END,
                    spacing=8,
                ),
            ],
            tight=True,
            spacing=14,
        ),
        title,
    )
