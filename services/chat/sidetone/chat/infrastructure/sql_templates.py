"""Templates in a relational database."""

from collections.abc import Sequence

import msgspec

from sidetone.chat.domain.template import TEMPLATES_MAX, unknown_template
from sidetone.protocol.ids import UserId
from sidetone.protocol.servers import Template, TemplateDocument
from sidetone.storage import Row, Transaction

_TEMPLATES = "SELECT code, name, creator, created_at_ms, document FROM templates"


class SqlTemplates:
    """Servers to be made in the likeness of others."""

    def __init__(self, rows: Transaction) -> None:
        self._rows = rows

    async def find(self, code: str) -> Template:
        """Return the template. Raises ``NotFound``."""
        found = await self._rows.fetch(f"{_TEMPLATES} WHERE code = :code", {"code": code})
        if not found:
            raise unknown_template()
        return _template(found[0])

    async def of(self, creator: UserId) -> Sequence[Template]:
        """Return the templates that *creator* saved, oldest first."""
        found = await self._rows.fetch(
            f"{_TEMPLATES} WHERE creator = :creator ORDER BY created_at_ms, code LIMIT :limit",
            {"creator": creator, "limit": TEMPLATES_MAX},
        )
        return [_template(row) for row in found]

    async def add(self, template: Template) -> None:
        """Store a template."""
        await self._rows.execute(
            """
            INSERT INTO templates (code, creator, name, document, created_at_ms)
            VALUES (:code, :creator, :name, :document, :created_at_ms)
            """,
            {
                **msgspec.structs.asdict(template),
                "document": msgspec.json.encode(template.document).decode(),
            },
        )

    async def remove(self, code: str, creator: UserId) -> bool:
        """Forget a template of *creator*; return whether there was one."""
        removed = await self._rows.execute(
            "DELETE FROM templates WHERE code = :code AND creator = :creator",
            {"code": code, "creator": creator},
        )
        return removed == 1


def _template(row: Row) -> Template:
    code, name, creator, created_at_ms, document = msgspec.convert(
        row, tuple[str, str, UserId, int, str]
    )
    return Template(
        code, name, creator, created_at_ms, msgspec.json.decode(document, type=TemplateDocument)
    )
