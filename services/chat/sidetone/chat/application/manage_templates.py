"""Keep the shape of a server, and hand it round."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sidetone.chat.application.enter_server import EnterServer
from sidetone.chat.application.ports import Templates
from sidetone.chat.domain.invite import CODE_BYTES, code_of
from sidetone.chat.domain.name import checked_name
from sidetone.chat.domain.server import require_room_for_one_more
from sidetone.chat.domain.template import TEMPLATES_MAX, document_of, unknown_template
from sidetone.permissions import Permission
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.servers import Template
from sidetone.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class ManageTemplates:
    """Save, show and forget templates. Who knows the code may use it."""

    templates: Templates
    enter_server: EnterServer
    clock: Clock

    async def save(self, server: ServerId, user: UserId, name: str) -> Template:
        """Return a template of *server* as it is now. Raises ``Refusal``."""
        standing = await self.enter_server(user, server, Permission.MANAGE_SERVER)
        count = len(await self.templates.of(user))
        require_room_for_one_more(count, TEMPLATES_MAX, "templates")
        template = Template(
            code_of(secrets.token_bytes(CODE_BYTES)),
            checked_name(name),
            user,
            self.clock.now_ms(),
            document_of(standing.community),
        )
        await self.templates.add(template)
        return template

    async def of(self, user: UserId) -> Sequence[Template]:
        """Return the templates that *user* saved."""
        return await self.templates.of(user)

    async def find(self, code: str) -> Template:
        """Return the template. Raises ``NotFound``."""
        return await self.templates.find(code)

    async def delete(self, code: str, user: UserId) -> None:
        """Forget a template of one's own. Raises ``NotFound``."""
        if not await self.templates.remove(code, user):
            raise unknown_template()
