"""What bots can be asked, in a relational database."""

from collections.abc import Sequence

import msgspec

from sidetone.protocol.commands import Command, CommandOption
from sidetone.protocol.ids import CommandId, UserId
from sidetone.storage import Database, Row

# Members that one query asks for; who has fewer fills up with nobody.
_AT_ONCE = 200
_MARKS = ", ".join(f":bot{number}" for number in range(_AT_ONCE))
_OF = f"""
SELECT id, bot, name, description, options FROM commands WHERE bot IN ({_MARKS})
ORDER BY name, id LIMIT 10000
"""  # noqa: S608 - the marks are ours


class SqlCommands:
    """One row for each command."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def replace(self, bot: UserId, commands: Sequence[Command]) -> None:
        """Let *commands* be all of *bot*."""
        async with self._database.transaction() as rows:
            await rows.execute("DELETE FROM commands WHERE bot = :bot", {"bot": bot})
            await rows.execute_many(
                """
                INSERT INTO commands (id, bot, name, description, options)
                VALUES (:id, :bot, :name, :description, :options)
                """,
                [
                    {
                        "id": command.id,
                        "bot": command.bot,
                        "name": command.name,
                        "description": command.description,
                        "options": msgspec.json.encode(command.options).decode(),
                    }
                    for command in commands
                ],
            )

    async def of(self, bots: Sequence[UserId]) -> Sequence[Command]:
        """Return the commands of those of *bots* that have some, by name."""
        found: list[Command] = []
        for start in range(0, len(bots), _AT_ONCE):
            part = bots[start : start + _AT_ONCE]
            values = {
                f"bot{number}": part[min(number, len(part) - 1)] for number in range(_AT_ONCE)
            }
            found += map(_command, await self._database.fetch(_OF, values))
        return sorted(found, key=lambda command: (command.name, command.id))

    async def find(self, command: CommandId) -> Command | None:
        """Return the command, if there is one."""
        rows = await self._database.fetch(
            "SELECT id, bot, name, description, options FROM commands WHERE id = :id LIMIT 1",
            {"id": command},
        )
        return _command(rows[0]) if rows else None


def _command(row: Row) -> Command:
    *words, options = row
    decoded = msgspec.json.decode(str(options), type=list[CommandOption])
    return Command(*words, options=decoded)  # pyright: ignore[reportArgumentType]  # the columns have these types
