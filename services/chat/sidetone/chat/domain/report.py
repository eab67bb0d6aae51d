"""What members tell moderators."""

from sidetone.chat.domain.member import REASON_LENGTH_MAX
from sidetone.chat.domain.name import checked_text
from sidetone.protocol.refusals import NotFound

# Of one member in one server.
OPEN_REPORTS_MAX = 20
_TEXT_LENGTH_MAX = 1_000


def checked_report(text: str) -> str:
    """Return what happened, in one line. Raises ``Invalid``."""
    return checked_text(text, "report", _TEXT_LENGTH_MAX)


def checked_resolution(text: str) -> str:
    """Return what was done about it, in one line. Raises ``Invalid``."""
    return checked_text(text, "resolution", REASON_LENGTH_MAX)


def unknown_report() -> NotFound:
    """Return the refusal for reports that are absent, or of another server."""
    return NotFound("report_unknown", "there is no such report in this server")
