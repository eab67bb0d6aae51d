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
    found, set_found = hooks.state(_NONE)
    problem, set_problem = hooks.state("")

    async def look() -> None:
        try:
            set_found(await asyncio.to_thread(view.core.devices.names))
        except Refusal as refusal:
            set_problem(kit.sentence(refusal.detail))

    ft.use_effect(lambda: view.start(look()), [])
    voice = view.core.preferences.current.voice
    words = [kit.text(problem, "small", theme.WARNING)] if problem else []
    return group(tr("Devices"), *_devices(view, voice, found), *words, *_loudness(view, voice))


def _devices(
    view: View, voice: Voice, found: tuple[list[str], list[str]]
) -> tuple[ft.Control, ft.Control]:
    own = [("", tr("The system's own choice"))]
    microphones, speakers = ([*own, *((name, name) for name in names)] for names in found)

    def change(**changes: object) -> None:
        set_in(view, "voice", **changes)

    first, second = tr("Microphone"), tr("Loudspeaker")
    return (
        choice(
            "set-microphone",
            first,
            "",
            voice.microphone,
            microphones,
            lambda to: change(microphone=to),
        ),
        choice("set-speaker", second, "", voice.speaker, speakers, lambda to: change(speaker=to)),
    )


def _loudness(view: View, voice: Voice) -> tuple[ft.Control, ft.Control]:
    def change(**changes: object) -> None:
        set_in(view, "voice", **changes)

    first, second = tr("Loudness of the microphone"), tr("Loudness of what you hear")
    return (
        slider(
            "set-input",
            first,
            voice.input_percent,
            (0, 200),
            "%",
            lambda to: change(input_percent=to),
        ),
        slider(
            "set-output",
            second,
            voice.output_percent,
            (0, 200),
            "%",
            lambda to: change(output_percent=to),
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
    words = kit.sentence(test.problem) or hint
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
    heard, loud = tr("You are heard"), tr("How loud speech must be")
    after, threshold = tr("Heard on after the last word"), round(voice.threshold_db)

    def change(**changes: object) -> None:
        set_in(view, "voice", **changes)

    return group(
        tr("When you are heard"),
        choice(
            "set-activation", heard, "", voice.activation, ways, lambda to: change(activation=to)
        ),
        slider(
            "set-threshold",
            loud,
            threshold,
            (-30, 30),
            "dB",
            lambda to: change(threshold_db=float(to)),
        ),
        slider(
            "set-release",
            after,
            voice.release_ms,
            (0, 2000),
            "ms",
            lambda to: change(release_ms=to),
        ),
    )


def _treatment(view: View, voice: Voice) -> ft.Control:
    even = (tr("Even loudness"), tr("Quiet voices are lifted, loud ones lowered."))
    echo = (tr("Echo cancellation"), tr("For loudspeakers; headphones do without."))

    def change(**changes: object) -> None:
        set_in(view, "voice", **changes)

    return group(
        tr("Your voice"),
        _suppression(view, voice),
        toggle("set-gain", *even, voice.gain_control, lambda on: change(gain_control=on)),
        toggle(
            "set-echo", *echo, voice.echo_cancellation, lambda on: change(echo_cancellation=on)
        ),
        _preset(view, voice),
    )


def _suppression(view: View, voice: Voice) -> ft.Control:
    levels = [
        ("off", tr("Off")),
        ("low", tr("A little")),
        ("high", tr("Strong")),
        ("max", tr("Strongest (needs RNNoise)")),
    ]
    name, hint = tr("Noise suppression"), tr("Fans, keys and rooms are made quiet.")
    return choice(
        "set-suppression",
        name,
        hint,
        voice.suppression,
        levels,
        lambda to: set_in(view, "voice", suppression=to),
    )


def _preset(view: View, voice: Voice) -> ft.Control:
    presets = [
        ("voice", tr("Thrifty: 32 kbit/s")),
        ("standard", tr("Standard: 64 kbit/s")),
        ("high", tr("High: 96 kbit/s")),
        ("studio", tr("Studio: 256 kbit/s")),
    ]
    name, hint = tr("Quality"), tr("What your voice may take of the connection.")
    return choice(
        "set-preset",
        name,
        hint,
        voice.preset,
        presets,
        lambda to: set_in(view, "voice", preset=to),
    )
