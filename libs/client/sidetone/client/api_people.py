"""Friends, presence and conversations over REST."""

from sidetone.client.requests import Requests
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import CreateConversation, EditConversation, Server, ServerState
from sidetone.protocol.social import (
    OwnPresence,
    Presence,
    Relationship,
    SetPresence,
    SetRelationship,
)


class People:
    """Those one knows, and talks to outside of servers."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def relationships(self, cursor: str | None = None) -> Page[Relationship]:
        """Return a page of friends, open requests and blocked users."""
        path = "/presence/relationships"
        return await self._requests.ask("GET", path, Page[Relationship], query={"cursor": cursor})

    async def befriend(self, user: UserId) -> Relationship:
        """Ask *user* to be friends, or accept what they asked."""
        return await self._set(user, SetRelationship("friend"))

    async def block(self, user: UserId) -> Relationship:
        """Hear nothing more from *user*."""
        return await self._set(user, SetRelationship("blocked"))

    async def part(self, user: UserId) -> None:
        """End a friendship, decline or take back a request, or unblock *user*."""
        await self._requests.tell("DELETE", f"/presence/relationships/{user}")

    async def set_presence(self, wish: SetPresence) -> OwnPresence:
        """Choose how one is seen while one is there."""
        return await self._requests.ask("PUT", "/presence/me", OwnPresence, wish)

    async def presence(self, user: UserId) -> Presence:
        """Return how somebody around is there, or when they were seen last."""
        return await self._requests.ask("GET", f"/presence/users/{user}", Presence)

    async def open_conversation(self, *users: UserId, name: str = "") -> ServerState:
        """Open a conversation; that with one user is always the same."""
        body = CreateConversation(list(users), name)
        return await self._requests.ask("POST", "/chat/conversations", ServerState, body)

    async def conversations(self, cursor: str | None = None) -> Page[ServerState]:
        """Return a page of the account's conversations, newest first."""
        path = "/chat/conversations"
        return await self._requests.ask("GET", path, Page[ServerState], query={"cursor": cursor})

    async def rename_conversation(self, conversation: ServerId, name: str) -> Server:
        """Name a group."""
        path = f"/chat/conversations/{conversation}"
        return await self._requests.ask("PATCH", path, Server, EditConversation(name))

    async def bring_in(self, conversation: ServerId, user: UserId) -> None:
        """Bring a friend into a group."""
        await self._requests.tell("PUT", f"/chat/conversations/{conversation}/members/{user}")

    async def leave_conversation(self, conversation: ServerId, user: UserId) -> None:
        """Leave a group, or take another out of one's own."""
        await self._requests.tell("DELETE", f"/chat/conversations/{conversation}/members/{user}")

    async def _set(self, user: UserId, wish: SetRelationship) -> Relationship:
        path = f"/presence/relationships/{user}"
        return await self._requests.ask("PUT", path, Relationship, wish)
