"""What each permission is called and means, in the order in which editors show them."""

from typing import NamedTuple

from sidetone.desktop.domain.wording import tr
from sidetone.permissions import Permission


class Ability(NamedTuple):
    """A *permission*, what it is called, and what who has it can do."""

    permission: Permission
    name: str
    explanation: str


class Abilities(NamedTuple):
    """Abilities that belong together."""

    title: str
    abilities: list[Ability]


def all_abilities() -> list[Abilities]:
    """Return every permission there is, once, in groups."""
    return [_server(), _people(), _text(), _voice()]


def abilities_of(allowed: Permission) -> list[Abilities]:
    """Return the groups of those that are in *allowed*; groups without any are left out."""
    kept = (
        Abilities(title, [each for each in abilities if each.permission in allowed])
        for title, abilities in all_abilities()
    )
    return [group for group in kept if group.abilities]


def _server() -> Abilities:
    return Abilities(
        tr("The server"),
        [
            Ability(
                Permission.VIEW_CHANNEL,
                tr("See channels"),
                tr("Find channels, and who is in them."),
            ),
            Ability(
                Permission.MANAGE_CHANNELS,
                tr("Manage channels"),
                tr("Create, edit, arrange and delete channels and categories."),
            ),
            Ability(
                Permission.MANAGE_PERMISSIONS,
                tr("Manage channel permissions"),
                tr("Decide who may do what in a channel."),
            ),
            Ability(
                Permission.MANAGE_ROLES,
                tr("Manage roles"),
                tr("Create, edit and give roles below their own highest one."),
            ),
            Ability(
                Permission.MANAGE_EMOJI, tr("Manage emoji"), tr("Add, rename and delete emoji.")
            ),
            Ability(
                Permission.MANAGE_WEBHOOKS,
                tr("Manage webhooks"),
                tr("Let other programs hear what happens here, and write."),
            ),
            Ability(
                Permission.VIEW_AUDIT_LOG,
                tr("See the audit log"),
                tr("Read who changed what in this server."),
            ),
            Ability(
                Permission.MANAGE_SERVER,
                tr("Manage the server"),
                tr("Change its name, description and icon, see invites, save templates."),
            ),
            Ability(
                Permission.ADMINISTRATOR,
                tr("Administrator"),
                tr("May do everything, in every channel. Give this to few."),
            ),
        ],
    )


def _people() -> Abilities:
    return Abilities(
        tr("People"),
        [
            Ability(
                Permission.CREATE_INVITE, tr("Invite people"), tr("Make invites to this server.")
            ),
            Ability(
                Permission.CHANGE_NICKNAME,
                tr("Change own nickname"),
                tr("Choose a name for this server."),
            ),
            Ability(
                Permission.MANAGE_NICKNAMES,
                tr("Manage nicknames"),
                tr("Change the nicknames of those who stand lower."),
            ),
            Ability(
                Permission.MODERATE_MEMBERS,
                tr("Time members out"),
                tr("Let members neither write nor talk for a while, and handle reports."),
            ),
            Ability(
                Permission.KICK_MEMBERS,
                tr("Kick members"),
                tr("Take members out; with an invite they can come back."),
            ),
            Ability(Permission.BAN_MEMBERS, tr("Ban members"), tr("Take members out for good.")),
        ],
    )


def _text() -> Abilities:
    return Abilities(
        tr("Text channels"),
        [
            Ability(Permission.SEND_MESSAGES, tr("Send messages"), tr("Write in text channels.")),
            Ability(
                Permission.READ_HISTORY,
                tr("Read history"),
                tr("Read what was written before they came."),
            ),
            Ability(Permission.ATTACH_FILES, tr("Attach files"), tr("Send pictures and files.")),
            Ability(
                Permission.EMBED_LINKS, tr("Show link previews"), tr("Their links show a preview.")
            ),
            Ability(Permission.ADD_REACTIONS, tr("Add reactions"), tr("Put emoji to messages.")),
            Ability(
                Permission.MENTION_EVERYONE,
                tr("Mention everyone"),
                tr("Call all members, and roles that are not mentionable."),
            ),
            Ability(
                Permission.CREATE_THREADS, tr("Create threads"), tr("Open threads at messages.")
            ),
            Ability(
                Permission.MANAGE_THREADS, tr("Manage threads"), tr("Rename and archive threads.")
            ),
            Ability(
                Permission.MANAGE_MESSAGES,
                tr("Manage messages"),
                tr("Delete what others wrote, and pin messages."),
            ),
            Ability(
                Permission.BYPASS_SLOW_MODE,
                tr("Bypass slow mode"),
                tr("Write without waiting in between."),
            ),
        ],
    )


def _voice() -> Abilities:
    return Abilities(
        tr("Voice channels"),
        [
            Ability(Permission.CONNECT, tr("Join calls"), tr("Join voice channels and hear.")),
            Ability(Permission.SPEAK, tr("Speak"), tr("Be heard in voice channels.")),
            Ability(
                Permission.VIDEO, tr("Share the screen"), tr("Show a screen or a window in calls.")
            ),
            Ability(
                Permission.PRIORITY_SPEAKER,
                tr("Priority speaker"),
                tr("Others become quieter while they speak."),
            ),
            Ability(Permission.MUTE_MEMBERS, tr("Mute members"), tr("Let a member not be heard.")),
            Ability(
                Permission.DEAFEN_MEMBERS, tr("Deafen members"), tr("Let a member hear nothing.")
            ),
            Ability(
                Permission.MOVE_MEMBERS,
                tr("Move members"),
                tr("Move members to another voice channel, or take them out of one."),
            ),
        ],
    )
