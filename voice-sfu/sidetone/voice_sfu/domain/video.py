"""Who watches whom in one room: layers, where a viewer begins, and who is asked for keyframes.

Spatial layers are simulcast: each is a stream of frames of its own, and a viewer is forwarded
exactly one of them, the highest live one that it wants. It begins, and changes layers, at a
keyframe. Times are seconds of any monotonic clock.
"""

import math
from collections.abc import Iterable, Mapping

import msgspec

from sidetone.protocol.ids import Sender

LAYERS_MAX = 4
# More members than a screen has room for; each costs a look at every frame that begins.
WATCHED_MAX = 64
# A keyframe costs as much as a second of other frames, and every viewer pays for it.
KEYFRAME_GAP_SECONDS = 1.0
# Without a frame for so long, while other layers have some, a layer is no longer sent.
LAYER_GONE_SECONDS = 2.0
# How long a viewer that was too slow asks for no keyframe: doubled when it happens again soon.
REST_SECONDS_MIN = 1.0
REST_SECONDS_MAX = 16.0
_SOON_SECONDS = 60.0


class Ask(msgspec.Struct, frozen=True):
    """Ask *source* for a keyframe of *layer*."""

    source: Sender
    layer: int


class Start(msgspec.Struct, frozen=True):
    """What a frame that begins means: it goes to *viewers*, and *asks* are to be made.

    *overtaken* if a newer keyframe has begun before it: then it goes nowhere.
    """

    viewers: tuple[Sender, ...] = ()
    asks: tuple[Ask, ...] = ()
    overtaken: bool = False


class Change(msgspec.Struct, frozen=True):
    """What another choice means: frames of *dropped* are not for the viewer any more."""

    dropped: tuple[Sender, ...] = ()
    asks: tuple[Ask, ...] = ()


class _Layer(msgspec.Struct):
    last_at: float = -math.inf
    # The newest keyframe, by its stream: streams are opened in the order of frames.
    keyframe_stream: int = -1
    asked_at: float = -math.inf
    is_wanted: bool = False


class _Watch(msgspec.Struct):
    layer_max: int
    # The layer that is forwarded, or None while a keyframe is waited for.
    showing: int | None = None
    rest_seconds: float = 0.0
    rests_until: float = -math.inf


class Video:
    """The sources and viewers of one room."""

    def __init__(self) -> None:
        self._layers: dict[Sender, dict[int, _Layer]] = {}
        self._watches: dict[Sender, dict[Sender, _Watch]] = {}
        self._watched: dict[Sender, set[Sender]] = {}

    def watch(self, viewer: Sender, wanted: Mapping[Sender, int], now: float) -> Change:
        """Let *viewer* watch the senders in *wanted*, each up to a layer, and no others."""
        before = self._watched.pop(viewer, set())
        dropped = [source for source in sorted(before) if source not in wanted]
        for source in dropped:
            del self._watches[source][viewer]
        asks: list[Ask] = []
        for source, layer_max in wanted.items():
            if source == viewer:
                continue
            watch = self._watches.setdefault(source, {}).setdefault(viewer, _Watch(layer_max))
            watch.layer_max = layer_max
            self._watched.setdefault(viewer, set()).add(source)
            if self._hides(source, watch):
                dropped.append(source)
            asks += self._ask_for(source, watch, now)
        return Change(tuple(dropped), tuple(asks))

    def start(
        self, source: Sender, stream: int, layer: int, now: float, *, keyframe: bool
    ) -> Start:
        """Take a frame that begins, on the stream of this number."""
        state = self._layers.setdefault(source, {}).setdefault(layer, _Layer())
        if stream < state.keyframe_stream:
            return Start(overtaken=True)
        state.last_at = now
        if keyframe:
            state.keyframe_stream = stream
            state.is_wanted = False
        viewers: list[Sender] = []
        asks: list[Ask] = []
        for viewer, watch in self._watches.get(source, {}).items():
            target = self._target(source, watch)
            if keyframe and layer == target:
                watch.showing = layer
            if watch.showing == layer:
                viewers.append(viewer)
            if watch.showing != target:
                asks += self._ask_for(source, watch, now)
        return Start(tuple(viewers), tuple(asks))

    def request(self, viewer: Sender, source: Sender, layer: int, now: float) -> tuple[Ask, ...]:
        """Take a viewer's own wish for a keyframe; for a layer that it is not shown it is none."""
        watch = self._watches.get(source, {}).get(viewer)
        if watch is None or watch.showing != layer:
            return ()
        return self._ask(source, layer, now)

    def fell_behind(self, viewer: Sender, now: float) -> tuple[Sender, ...]:
        """Have *viewer*, who was too slow, begin anew; returns whom it watches."""
        sources = tuple(sorted(self._watched.get(viewer, ())))
        for source in sources:
            watch = self._watches[source][viewer]
            watch.showing = None
            again = now - watch.rests_until < _SOON_SECONDS
            longer = min(2 * watch.rest_seconds, REST_SECONDS_MAX) if again else 0.0
            watch.rest_seconds = max(longer, REST_SECONDS_MIN)
            watch.rests_until = now + watch.rest_seconds
        return sources

    def end(self, source: Sender) -> None:
        """Forget what *source* has shown; who watches it waits for a keyframe."""
        self._layers.pop(source, None)
        for watch in self._watches.get(source, {}).values():
            watch.showing = None

    def forget(self, member: Sender) -> None:
        """Forget *member* as a source and as a viewer."""
        self._layers.pop(member, None)
        for viewer in self._watches.pop(member, {}):
            self._watched[viewer].discard(member)
        for source in self._watched.pop(member, ()):
            self._watches[source].pop(member, None)

    def handle_timer(self, now: float) -> tuple[Ask, ...]:
        """Return the asks that had to wait."""
        asks: list[Ask] = []
        for source, layers in self._layers.items():
            for watch in self._watches.get(source, {}).values():
                if watch.showing is None:
                    asks += self._ask_for(source, watch, now)
            for layer, state in layers.items():
                if state.is_wanted:
                    asks += self._ask(source, layer, now)
        return tuple(asks)

    # --- inside ---

    def _target(self, source: Sender, watch: _Watch) -> int | None:
        """Return the highest layer up to the wanted one that *source* sends at present."""
        layers = self._layers.get(source, {})
        newest = max((state.last_at for state in layers.values()), default=0.0)
        live = (
            layer
            for layer, state in layers.items()
            if layer <= watch.layer_max and newest - state.last_at < LAYER_GONE_SECONDS
        )
        return max(live, default=None)

    def _hides(self, source: Sender, watch: _Watch) -> bool:
        """Stop at once what is above the wanted layer where no other could take its place."""
        if watch.showing is None or watch.showing <= watch.layer_max:
            return False
        if self._target(source, watch) is not None:
            return False
        watch.showing = None
        return True

    def _ask_for(self, source: Sender, watch: _Watch, now: float) -> Iterable[Ask]:
        target = self._target(source, watch)
        if target is None or target == watch.showing or now < watch.rests_until:
            return ()
        return self._ask(source, target, now)

    def _ask(self, source: Sender, layer: int, now: float) -> tuple[Ask, ...]:
        """Ask now if the last time is long enough ago, else as soon as it is."""
        state = self._layers[source][layer]
        state.is_wanted = now - state.asked_at < KEYFRAME_GAP_SECONDS
        if state.is_wanted:
            return ()
        state.asked_at = now
        return (Ask(source, layer),)
