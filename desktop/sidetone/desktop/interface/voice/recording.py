"""Recording with everybody's consent: who asks, who records, and one's own answer."""

from datetime import datetime
from pathlib import Path

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.home_paths import lengthened, shortened
from sidetone.desktop.domain import names
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr, trn
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Invalid


@ft.component
def RecordingLine(view: View, account: Account) -> ft.Control:
    """Draw who records or asks to, and let it be answered."""
    view.watch(Topic("call"))
    voice = view.core.voice
    recording = voice.recording
    if recording is None:
        return ft.Container(visible=False)
    asks = recording.must_answer
    if asks is not None:
        return _question(view, account, asks)
    shown = recording.running or recording.paused
    if not shown:
        return ft.Container(visible=False)
    who = ", ".join(_called(account, user) for user in sorted(shown))
    if account.id in recording.running:
        words = tr("You record this call")
    elif recording.running:
        words = tr("{who} records this call", who=who)
    else:
        words = tr("Recording paused: not everybody agrees")
    parts: list[ft.Control] = [
        ft.Icon(
            ft.Icons.FIBER_MANUAL_RECORD if recording.running else ft.Icons.PAUSE,
            size=16,
            color=theme.BAD if recording.running else theme.WARNING,
        ),
        kit.text(words, "small", theme.TEXT, expand=True, max_lines=3),
    ]
    if account.id in shown:
        parts.append(
            kit.icon_button(
                "recording-stop",
                ft.Icons.STOP_CIRCLE,
                tr("Stop recording"),
                view.act(voice.stop_recording),
                color=theme.BAD,
            )
        )
    elif recording.answers.get(account.id):
        parts.append(
            kit.button(
                "recording-withdraw",
                tr("Object"),
                lambda: voice.consent(agrees=False),
                kind="quiet",
            )
        )
    return kit.semantics("recording-line", ft.Row(parts, spacing=6), words, live_region=True)


def _question(view: View, account: Account, asks: UserId) -> ft.Control:
    """Ask for an answer where one looks already: nothing is recorded before it is yes."""
    account.want_names(asks)
    words = tr("{who} would like to record this call.", who=_called(account, asks))
    return kit.semantics(
        "consent",
        ft.Container(
            ft.Column(
                [
                    kit.text(words, "small"),
                    kit.text(tr("Nothing is recorded unless all agree."), "small", theme.QUIET),
                    ft.Row(
                        [
                            kit.button(
                                "consent-no",
                                tr("No"),
                                lambda: view.core.voice.consent(agrees=False),
                                kind="quiet",
                            ),
                            kit.button(
                                "consent-yes",
                                tr("I agree"),
                                lambda: view.core.voice.consent(agrees=True),
                            ),
                        ],
                        alignment=ft.MainAxisAlignment.END,
                    ),
                ],
                tight=True,
                spacing=6,
            ),
            bgcolor=theme.RAISED,
            border_radius=theme.RADIUS,
            padding=10,
        ),
        words,
        live_region=True,
    )


@ft.component
def RecordSheet(view: View, account: Account) -> ft.Control:
    """Let one ask, see who has agreed, and record into a folder."""
    view.watch(Topic("call"))
    voice = view.core.voice
    folder = hooks.entry(_new_folder())
    recording = voice.recording
    if recording is None:
        return kit.text(tr("There is no call any more."), color=theme.QUIET)
    missing = recording.missing(set(voice.roster)) if recording.asks else set(voice.roster)
    runs = account.id in recording.running | recording.paused

    async def start() -> None:
        if not folder.value.strip():
            raise Invalid("folder_missing", tr("Say in which folder the recording goes."))
        await voice.record(Path(lengthened(folder.value, Path.home())))
        view.close()

    parts: list[ft.Control] = [
        kit.text(tr("Record the call"), "title"),
        kit.text(
            tr(
                "Each voice becomes a file of its own on this computer. All in the call are "
                "asked, all see it, and it pauses as soon as somebody does not agree."
            ),
            color=theme.QUIET,
        ),
        kit.field("record-folder", tr("Folder"), folder.value, folder.set, width=440),
    ]
    if recording.asks and missing:
        words = trn("Waiting for {n} answer", "Waiting for {n} answers", len(missing))
        who = ", ".join(_called(account, user) for user in sorted(missing))
        parts.append(kit.semantics("record-waits", kit.text(f"{words}: {who}", "small"), words))
    return ft.Column(
        [
            *parts,
            ft.Row(
                _actions(view, start, asks=recording.asks, runs=runs, ready=not missing),
                alignment=ft.MainAxisAlignment.END,
            ),
        ],
        tight=True,
        spacing=14,
    )


def _actions(
    view: View, start: kit.Handler, *, asks: bool, runs: bool, ready: bool
) -> list[ft.Control]:
    voice = view.core.voice
    if runs or asks:
        stop = tr("Stop recording") if runs else tr("Ask no more")
        actions = [kit.button("record-stop", stop, view.act(voice.stop_recording), kind="quiet")]
        if not runs:
            actions.append(
                kit.button(
                    "record-start", tr("Record"), lambda: view.start(start()), disabled=not ready
                )
            )
        return [*actions]
    return [kit.button("record-ask", tr("Ask everybody"), voice.ask_to_record)]


def _called(account: Account, user: UserId) -> str:
    return tr("You") if user == account.id else names.name_of(account.knowledge, user)


def _new_folder() -> str:
    """Return where a recording that begins now would go."""
    now = datetime.now().astimezone()
    home = Path.home()
    return shortened(str(home / "Sidetone" / now.strftime("%Y-%m-%d %H-%M")), home)
