"""How people are called and coloured where they are shown."""

from uuid import UUID

from sidetone.community import Community
from sidetone.desktop.domain.knowledge import Knowledge
from sidetone.desktop.domain.readable_color import readable
from sidetone.protocol.ids import UserId
from sidetone.protocol.messages import Message
from sidetone.protocol.servers import Role

# Behind initials where there is no picture: the text on all of them is near black.
AVATAR_COLORS = (
    "#8B9BFF", "#3DDC97", "#FFC45C", "#FF7B81", "#56C7F5", "#D28AF5", "#FF9F80", "#66DDCB",
)  # fmt: skip


def name_of(knowledge: Knowledge, user: UserId, community: Community | None = None) -> str:
    """Return what to call *user*: a nickname in *community*, their own choice, or their name."""
    member = community.members.get(user) if community is not None else None
    if member is not None and member.nickname:
        return member.nickname
    known = knowledge.users.get(user)
    return (known.display_name or known.name) if known is not None else "…"


def author_of(knowledge: Knowledge, message: Message, community: Community | None = None) -> str:
    """Return what to call who wrote *message*: programs and who was imported have no account."""
    if message.persona is not None:
        return message.persona.name
    return name_of(knowledge, message.author, community)


def top_role(community: Community, user: UserId, *, hoisted: bool = False) -> Role | None:
    """Return the highest role of *user* that has a colour, or that is shown apart."""
    member = community.members.get(user)
    roles = (
        [community.roles[role] for role in member.roles if role in community.roles]
        if member
        else []
    )
    fitting = [role for role in roles if (role.hoisted if hoisted else role.color is not None)]
    return max(fitting, key=lambda role: role.position, default=None)


def color_of(community: Community | None, user: UserId, ground: str) -> str | None:
    """Return the colour of a name in *community*, as ``#RRGGBB`` that can be read on *ground*."""
    role = top_role(community, user) if community is not None else None
    return readable(role.color, ground) if role is not None and role.color is not None else None


def avatar_color(of: UUID) -> str:
    """Return the colour behind the initials of a user or a server: always the same one."""
    return AVATAR_COLORS[of.int % len(AVATAR_COLORS)]


def initials(name: str) -> str:
    """Return one or two letters that stand for *name*.

    >>> initials("Apex Squad"), initials("nova"), initials("")
    ('AS', 'N', '?')
    """
    words = name.split()
    return "".join(word[0] for word in words[:2]).upper() or "?"
