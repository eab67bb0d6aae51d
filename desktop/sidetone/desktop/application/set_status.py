"""Choose how one is seen by others."""

from sidetone.desktop.application.account import Account
from sidetone.protocol.social import SetPresence, WishedStatus


async def set_status(account: Account, status: WishedStatus) -> None:
    """Be seen as *status* from now on; what else one tells of oneself stays."""
    presence = account.knowledge.presences.get(account.id)
    text, game = (presence.text, presence.game) if presence is not None else ("", "")
    await account.client.api.people.set_presence(SetPresence(status, text, game))
