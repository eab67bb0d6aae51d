"""What Flet works out anew each time, and what does not change: a tenth of what drawing costs.

Flet is pinned to one version, and because of this as well.
"""

from typing import Any

from flet.controls import base_control, control_event
from flet.controls.object_patch import DiffBuilder
from flet.messaging.protocol import Message  # pyright: ignore[reportMissingTypeStubs]

from sidetone.desktop.infrastructure import flet_walk

_event_type: Any = control_event.get_event_field_type
_known: dict[tuple[type, str], object] = {}


def spare() -> None:
    """Have it worked out once, or not at all; a second time does nothing."""
    parts: Any = base_control
    parts.get_event_field_type = event_type
    # Each message is put into words for a log, whether anybody keeps that or not.
    message: Any = Message
    message.__repr__ = object.__repr__
    diff: Any = DiffBuilder
    diff.get_added_controls = flet_walk.added
    diff.get_removed_controls = flet_walk.removed


def event_type(control: object, field: str) -> object:
    """Return what kind of event the handler *field* of *control* takes; None if it has no such."""
    key = (type(control), field)
    if key not in _known:
        _known[key] = _event_type(control, field)
    return _known[key]
