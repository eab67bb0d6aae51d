"""Found a server or join one, and know it at once: the gateway may tell of it a moment later."""

import msgspec

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.invite_link import InviteLink
from sidetone.desktop.domain.wording import tr
from sidetone.protocol.events import ServerOpened
from sidetone.protocol.ids import ServerId
from sidetone.protocol.refusals import Invalid
from sidetone.protocol.servers import InvitePreview, Server, TemplateDocument

_FILE_BYTES_MAX = 4 << 20


async def found_server(
    account: Account,
    name: str,
    *,
    template: str | None = None,
    document: TemplateDocument | None = None,
) -> ServerId:
    """Found a server: empty, or like the template of a code or of a file."""
    server = await account.client.api.servers.create(name, template=template, document=document)
    return await _known(account, server)


async def preview_invite(account: Account, invite: InviteLink) -> InvitePreview:
    """Return where *invite* leads. Raises ``Invalid`` if that is another machine."""
    if invite.address is not None and invite.address != account.address:
        raise Invalid(
            "invite_elsewhere",
            tr("This invite leads to another server machine; sign in there first."),
        )
    return await account.client.api.servers.preview_invite(invite.code)


async def join_server(account: Account, code: str) -> ServerId:
    """Join the server that *code* invites to."""
    return await _known(account, await account.client.api.servers.accept_invite(code))


def read_template(content: bytes) -> TemplateDocument:
    """Return the template in a file. Raises ``Invalid`` that says what is wrong with it."""
    if len(content) > _FILE_BYTES_MAX:
        raise Invalid("template_unreadable", tr("This file is too large to be a template."))
    try:
        return msgspec.json.decode(content, type=TemplateDocument)
    except (msgspec.DecodeError, ValueError) as error:
        raise Invalid(
            "template_unreadable", tr("This file is not a template: {reason}", reason=error)
        ) from None


def write_template(document: TemplateDocument) -> bytes:
    """Return *document* as a file that people can read."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2)


async def _known(account: Account, server: Server) -> ServerId:
    id_ = ServerId(server.id)
    if id_ not in account.knowledge.communities:
        state = await account.client.api.servers.state(id_)
        # The gateway told of it meanwhile, and what it tells is never older.
        if id_ not in account.knowledge.communities:
            opened = ServerOpened(state)
            account.told(account.knowledge.apply(opened, account.clock.now_ms()))
    return id_
