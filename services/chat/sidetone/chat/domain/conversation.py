"""Who may talk with whom outside of communities."""

from collections.abc import Mapping, Sequence

from sidetone.chat.domain.name import NAME_LENGTH_MAX, checked_text
from sidetone.protocol.ids import UserId
from sidetone.protocol.questions import Contact
from sidetone.protocol.refusals import Forbidden, Invalid, NotFound

GROUP_MAX = 10


def checked_group_name(text: str) -> str:
    """Return what a group is called; nothing: by its members. Raises ``Invalid``."""
    return checked_text(text, "name", NAME_LENGTH_MAX, empty=True)


def checked_others(user: UserId, users: Sequence[UserId]) -> list[UserId]:
    """Return with whom *user* wants to talk, each once. Raises ``Invalid``."""
    others = [other for other in dict.fromkeys(users) if other != user]
    if not 1 <= len(others) < GROUP_MAX:
        raise Invalid("users_out_of_range", f"name 1 to {GROUP_MAX - 1} others")
    return others


def require_contact(contacts: Mapping[UserId, Contact], *, friends: bool) -> None:
    """Refuse where one has blocked the other, or where *friends* are wanted and they are not."""
    if any(contact.blocked for contact in contacts.values()):
        raise Forbidden("contact_blocked", "one of you has blocked the other")
    if friends and not all(contact.friends for contact in contacts.values()):
        raise Forbidden("friends_only", "a group is for friends: add them as friends first")


def unknown_conversation() -> NotFound:
    """Return the refusal for conversations that are absent, and those of others."""
    return NotFound("conversation_unknown", "there is no such conversation, or it is not yours")
