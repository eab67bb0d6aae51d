"""What is in a field is known together with what follows from it.

A browser sends what is in a field now, and after it that this changed. What was drawn between the
two would put back what the field held before, and the letters that came since would be lost. And
who hears of a change finds in the field what it was changed to, however much came after it: a
new line after many letters is an Enter, and both at once would be neither.
"""

from collections.abc import Coroutine
from typing import Any


def enter_together(session: Any) -> None:
    """Let *session*, Flet's end of a window, take what was entered when it hears of the change."""
    entered: dict[int, dict[str, Any]] = {}
    take, tell = session.apply_patch, session.dispatch_event

    def keep(control: int, values: dict[str, Any]) -> None:
        if getattr(session.index.get(control), "on_change", None) is None:
            take(control, values)
        else:
            entered.setdefault(control, {}).update(values)

    def hear(control: int, event: str, about: object) -> Coroutine[Any, Any, None]:
        # Flet calls this as the event comes, and lets what it returns run later.
        before = entered.copy()
        entered.clear()
        return _hear(before, control, event, about)

    async def _hear(
        before: dict[int, dict[str, Any]], control: int, event: str, about: object
    ) -> None:
        for changed, values in before.items():
            take(changed, values)
        await tell(control, event, about)

    session.apply_patch = keep
    session.dispatch_event = hear
