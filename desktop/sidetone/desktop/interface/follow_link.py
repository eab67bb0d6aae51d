"""Go where a link leads: to a machine, into a server, or to a message."""

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.invite_link import InviteLink
from sidetone.desktop.domain.links import PlaceLink, ServerLink, read_link
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface.servers.add_server import open_join
from sidetone.desktop.interface.view import View
from sidetone.protocol.refusals import Invalid


def address_in(text: str) -> str:
    """Return the machine's address of a link, or what else somebody took for an address."""
    try:
        return read_link(text).address or ""
    except Invalid:
        return text


async def follow_link(view: View, text: str) -> None:
    """Open the dialog or the screen that *text* is about, or where one signs in for it.

    An account that is being come back to is waited for.
    """
    address = address_in(text)
    for each in list(view.core.returning.values()):
        if each.remembered.address == address:
            await each.over.wait()
    account = next((a for a in view.core.accounts.values() if a.address == address), None)
    if account is None:
        view.link = text
        view.go(screen="sign_in")
        return
    await account.ready.wait()
    view.link = ""
    _go(view, account, text)


def arrived(view: View, account: Account | None = None) -> None:
    """Go to an account that was just signed in to, and on to what one came for."""
    chosen = account or view.account or next(iter(view.core.accounts.values()), None)
    if chosen is None:
        view.go(screen="start")
        return
    view.go(screen="friends", account=chosen.id, server=None, channel=None)
    text, view.link = view.link, ""
    if account is not None and text and address_in(text) == account.address:
        view.start(follow_link(view, text))


def _go(view: View, account: Account, text: str) -> None:
    # An address of this machine, http://, is no link, and leads to the account alone.
    link = read_link(text) if text.startswith("sidetone:") else ServerLink(text)
    match link:
        case ServerLink():
            view.go(screen="friends", account=account.id, server=None, channel=None)
        case InviteLink(_, code):
            view.go(account=account.id)
            open_join(view, account, code)
        case PlaceLink(channel=channel, message=message):
            home = account.knowledge.home_of(channel)
            if home is None:
                view.notice(tr("You do not see the place that this link leads to."), bad=True)
                return
            view.go(screen="server", account=account.id, server=home.server.id)
            view.open_channel(account, channel)
            if message is not None:
                view.go(message=message)
