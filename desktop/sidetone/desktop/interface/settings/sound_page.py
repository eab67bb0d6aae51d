"""How one is heard and hears: devices, a test with a meter, and what is done to the voice."""

import asyncio

import flet as ft

from sidetone.desktop.domain.preferences import Voice
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.settings.parts import choice, group, page, set_in, slider, toggle
from sidetone.desktop.interface.view import View
from sidetone.desktop.interface.voice.meter import Meter
from sidetone.protocol.refusals import Refusal


_NONE: tuple[list[str], list[str]] = ([], [])


@ft.component
def SoundPage(view: View) -> ft.Control:
    """Choose devices, try them, and set how the voice is treated."""
    view.watch(Topic("preferences"))
    voice = view.core.preferences.current.voice
    return page(
        tr("Voice and sound"),
        hooks.keyed("devices", DeviceChoices, view),
        hooks.keyed("test", SoundTestRow, view),
        _when(view, voice),
        _treatment(view, voice),
    )


@ft.component
def DeviceChoices(view: View) -> ft.Control:
    """Choose the microphone and the loudspeaker among those that there are."""
    view.watch(Topic("preferences"))
    voice = view.core.preferences.current.voice
    found, set_found = hooks.state(_NONE)
    problem, set_problem = hooks.state("")

    async def look() -> None:
        try:
            set_found(await asyncio.to_thread(view.core.devices.names))
        except Refusal as refusal:
            set_problem(refusal.detail)

    ft.use_effect(lambda: view.start(look()), [])
    own = [("", tr("The system's own choice"))]
    microphones, speakers = ([*own, *((name, name) for name in names)] for names in found)
    return group(
        tr("Devices"),
        choice(
            "set-microphone",
            tr("Microphone"),
            "",
            voice.microphone,
            microphones,
            lambda value: set_in(view, "voice", microphone=value),
        ),
        choice(
            "set-speaker",
            tr("Loudspeaker"),
            "",
            voice.speaker,
            speakers,
            lambda value: set_in(view, "voice", speaker=value),
        ),
        *([kit.text(problem, "small", theme.WARNING)] if problem else []),
        slider(
            "set-input",
            tr("Loudness of the microphone"),
            voice.input_percent,
            (0, 200),
            "%",
            lambda value: set_in(view, "voice", input_percent=value),
        ),
        slider(
            "set-output",
            tr("Loudness of what you hear"),
            voice.output_percent,
            (0, 200),
            "%",
            lambda value: set_in(view, "voice", output_percent=value),
        ),
    )


@ft.component
def SoundTestRow(view: View) -> ft.Control:
    """Hear yourself as the others will, with the level beside."""
    view.watch(Topic("sound_test"))
    test = view.core.sound_test
    label = tr("Stop") if test.running else tr("Hear yourself")
    act = test.stop if test.running else test.start
    hint = tr("Speak: what you hear is what the others would. Wear headphones.")
    words = test.problem or hint
    return group(
        tr("Test"),
        ft.Row(
            [
                kit.button("sound-test", label, view.act(act), kind="quiet"),
                ft.Container(Meter(view), expand=True),
            ],
            spacing=16,
        ),
        kit.text(words, "small", theme.WARNING if test.problem else theme.QUIET),
    )


def _when(view: View, voice: Voice) -> ft.Control:
    ways = [
        ("voice", tr("When you speak")),
        ("push_to_talk", tr("While a key is held")),
        ("always", tr("Always")),
    ]
    return group(
        tr("When you are heard"),
        choice(
            "set-activation",
            tr("You are heard"),
            "",
            voice.activation,
            ways,
            lambda value: set_in(view, "voice", activation=value),
        ),
        slider(
            "set-threshold",
            tr("How loud speech must be"),
            round(voice.threshold_db),
            (-30, 30),
            "dB",
            lambda value: set_in(view, "voice", threshold_db=float(value)),
        ),
        slider(
            "set-release",
            tr("Heard on after the last word"),
            voice.release_ms,
            (0, 2000),
            "ms",
            lambda value: set_in(view, "voice", release_ms=value),
        ),
    )


def _treatment(view: View, voice: Voice) -> ft.Control:
    levels = [
        ("off", tr("Off")),
        ("low", tr("A little")),
        ("high", tr("Strong")),
        ("max", tr("Strongest (needs RNNoise)")),
    ]
    presets = [
        ("voice", tr("Thrifty: 32 kbit/s")),
        ("standard", tr("Standard: 64 kbit/s")),
        ("high", tr("High: 96 kbit/s")),
        ("studio", tr("Studio: 256 kbit/s")),
    ]
    return group(
        tr("Your voice"),
        choice(
            "set-suppression",
            tr("Noise suppression"),
            tr("Fans, keys and rooms are made quiet."),
            voice.suppression,
            levels,
            lambda value: set_in(view, "voice", suppression=value),
        ),
        toggle(
            "set-gain",
            tr("Even loudness"),
            tr("Quiet voices are lifted, loud ones lowered."),
            voice.gain_control,
            lambda on: set_in(view, "voice", gain_control=on),
        ),
        toggle(
            "set-echo",
            tr("Echo cancellation"),
            tr("For loudspeakers; headphones do without."),
            voice.echo_cancellation,
            lambda on: set_in(view, "voice", echo_cancellation=on),
        ),
        choice(
            "set-preset",
            tr("Quality"),
            tr("What your voice may take of the connection."),
            voice.preset,
            presets,
            lambda value: set_in(view, "voice", preset=value),
        ),
    )
