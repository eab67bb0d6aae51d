"""What a word in the composer can become, and the list from which one chooses."""

from collections.abc import Callable, Iterator, Sequence

import flet as ft

from sidetone.desktop.domain import emoji, names
from sidetone.desktop.domain.completion import OFFERED_MAX, Asked, Offer, fitting
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import kit, theme
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId, UserId


def offers_for(pane: Pane, asked: Asked) -> list[Offer]:
    """Return the best offers for what is asked."""
    if asked.sigil == "@":
        return fitting(asked.word, _called(pane))
    if asked.sigil == "#":
        return fitting(asked.word, _channels(pane))
    own = fitting(asked.word, _own_emoji(pane))
    found = [
        Offer(f"emoji-{each.name}", f":{each.name}:", each.text, each.text, each.text)
        for each in emoji.matching(asked.word, OFFERED_MAX)
    ]
    return [*own, *found][:OFFERED_MAX]


def _called(pane: Pane) -> Iterator[Offer]:
    """Yield who can be called in the channel: people, roles, everyone."""
    community, knowledge = pane.community, pane.account.knowledge
    if community is None:
        return
    for member in map(UserId, community.members):
        if community.sees(member, pane.channel):
            name = names.name_of(knowledge, member, community)
            user = knowledge.users.get(member)
            hint = user.name if user is not None and user.name != name else ""
            shown, written = f"@{name}", f"<@{member}>"
            yield Offer(f"user-{name}", name, shown, written, names.initials(name), hint)
    loud = pane.may(Permission.MENTION_EVERYONE)
    for role in community.roles.values():
        if role.id != community.server.id and (role.mentionable or loud):
            shown, written = f"@{role.name}", f"<@&{role.id}>"
            yield Offer(f"role-{role.name}", role.name, shown, written, "@", tr("Role"))
    if loud and community.server.kind != "direct":
        yield Offer(
            "everyone", "everyone", "@everyone", "@everyone", "@", tr("All who see this channel")
        )
        yield Offer("here", "here", "@here", "@here", "@", tr("All who are here"))


def _channels(pane: Pane) -> Iterator[Offer]:
    community = pane.community
    if community is None:
        return
    for channel in community.visible(pane.account.id):
        if channel.kind != "category":
            id_ = ChannelId(channel.id)
            shown, written = f"#{channel.name}", f"<#{id_}>"
            yield Offer(f"channel-{channel.name}", channel.name, shown, written, "#")


def _own_emoji(pane: Pane) -> Iterator[Offer]:
    community = pane.community
    for each in community.emoji.values() if community is not None else ():
        yield Offer(
            f"emoji-{each.name}", f":{each.name}:", f":{each.name}:", f":{each.name}:", "☆"
        )


@ft.component
def Suggestions(offers: Sequence[Offer], chosen: int, take: Callable[[Offer], None]) -> ft.Control:
    """Draw the offers; arrows choose, Enter or Tab takes, the mouse does both."""

    def taking(offer: Offer) -> Callable[[], None]:
        return lambda: take(offer)

    rows: list[ft.Control] = [
        kit.row(
            f"offer-{offer.key}",
            offer.label,
            ft.Row(
                [
                    ft.Container(
                        ft.Text(
                            offer.picture,
                            size=13,
                            color=theme.QUIET,
                            font_family_fallback=[theme.EMOJI],
                        ),
                        width=26,
                        alignment=ft.Alignment.CENTER,
                    ),
                    kit.line(offer.label),
                    kit.line(offer.hint, "small", theme.FAINT, expand=True),
                ],
                spacing=8,
            ),
            taking(offer),
            chosen=index == chosen,
        )
        for index, offer in enumerate(offers)
    ]
    return kit.semantics(
        "offers",
        ft.Container(
            ft.Column(rows, spacing=1, tight=True),
            bgcolor=theme.RAISED,
            border=ft.Border.all(1, theme.LINE),
            border_radius=10,
            padding=ft.Padding.symmetric(vertical=6),
        ),
        tr("Suggestions"),
    )
