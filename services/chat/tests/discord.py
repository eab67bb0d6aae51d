"""Channels as DiscordChatExporter writes them, for the tests of imports."""

import json
from pathlib import Path
from typing import Any

EPOCH_MS = 1_420_070_400_000
GUILD = (1_500_000_000_000 - EPOCH_MS) << 22
ADA, BEN = GUILD + 1, GUILD + 2


def snowflake(time_ms: int, number: int = 0) -> str:
    return str((time_ms - EPOCH_MS) << 22 | number)


def user(id_: int, name: str, *roles: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(id_),
        "name": name.lower(),
        "discriminator": "0000",
        "nickname": name,
        "color": None,
        "isBot": False,
        "roles": list(roles),
        "avatarUrl": "https://cdn.discordapp.com/embed/avatars/0.png",
    }


def role(number: int, name: str, position: int) -> dict[str, Any]:
    return {"id": str(GUILD + number), "name": name, "color": "#E91E63", "position": position}


def message(id_: str, content: str, author: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "type": "Default",
        "timestamp": "2020-09-13T12:26:40+00:00",
        "timestampEdited": None,
        "callEndedTimestamp": None,
        "isPinned": False,
        "content": content,
        "author": author,
        "attachments": [],
        "embeds": [],
        "stickers": [],
        "reactions": [],
        "mentions": [],
        "inlineEmojis": [],
        **more,
    }


def channel(id_: str, name: str, kind: str = "GuildTextChat", **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "type": kind,
        "categoryId": None,
        "category": None,
        "name": name,
        "topic": None,
        **more,
    }


def write(
    folder: Path, of: dict[str, Any], *messages: dict[str, Any], guild: int = GUILD, part: str = ""
) -> Path:
    document = {
        "guild": {"id": str(guild), "name": "The Old Tavern", "iconUrl": ""},
        "channel": of,
        "dateRange": {"after": None, "before": None},
        "exportedAt": "2026-11-29T20:00:00+00:00",
        "messages": list(messages),
        "messageCount": len(messages),
    }
    folder.mkdir(exist_ok=True)
    path = folder / f"The Old Tavern - {of['name']} [{of['id']}]{part}.json"
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False))
    return path
