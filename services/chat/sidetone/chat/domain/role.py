"""What a role may be."""

from sidetone.chat.domain.name import checked_text
from sidetone.permissions import ALL, Permission
from sidetone.protocol.refusals import Invalid, NotFound

ROLE_NAME_LENGTH_MAX = 100
COLOR_MAX = 0xFFFFFF


def checked_role_name(text: str) -> str:
    """Return the name of a role. Raises ``Invalid``."""
    return checked_text(text, "name", ROLE_NAME_LENGTH_MAX)


def checked_permissions(bits: int) -> Permission:
    """Return the permissions that *bits* stand for. Raises ``Invalid``.

    >>> checked_permissions(5)
    <Permission.VIEW_CHANNEL|SPEAK: 5>
    """
    if bits < 0 or bits & ~int(ALL):
        raise Invalid("permission_unknown", f"permissions are bits of {int(ALL):#x}")
    return Permission(bits)


def checked_color(color: int | None) -> int | None:
    """Return a color as 0xRRGGBB; None: as the names of others. Raises ``Invalid``."""
    if color is not None and not 0 <= color <= COLOR_MAX:
        raise Invalid("color_out_of_range", "a color is a number from 0 to 0xFFFFFF")
    return color


def unknown_role() -> NotFound:
    """Return the refusal for roles that are absent, or in another server."""
    return NotFound("role_unknown", "there is no such role in this server")
