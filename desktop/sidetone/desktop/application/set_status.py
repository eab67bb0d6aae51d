"""Choose how one is seen by others."""

from sidetone.desktop.application.account import Account
from sidetone.protocol.social import SetPresence, WishedStatus


async def set_status(account: Account, status: WishedStatus) -> None:
    """Be seen as *status* from now on; what else one tells of oneself stays."""
    presence = account.knowledge.presences.get(account.id)
    text, game = (presence.text, presence.game) if presence is not None else ("", "")
    await account.client.api.people.set_presence(SetPresence(status, text, game))


async def tell(account: Account, text: str, game: str, lasting_ms: int | None = None) -> None:
    """Tell others what one does, for *lasting_ms* or until it is changed; the status stays."""
    presence = account.knowledge.presences.get(account.id)
    status: WishedStatus = "online"
    if presence is not None and presence.status != "offline":
        status = presence.status
    until = account.clock.now_ms() + lasting_ms if lasting_ms is not None else None
    wish = SetPresence(status, text.strip(), game.strip(), until)
    await account.client.api.people.set_presence(wish)
