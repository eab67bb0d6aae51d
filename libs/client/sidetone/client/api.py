"""A server's REST routes as typed methods, by area; every refusal is one of the seven kinds."""

from sidetone.client.api_accounts import Accounts
from sidetone.client.api_media import Media
from sidetone.client.api_messages import Messages
from sidetone.client.api_moderation import Moderation
from sidetone.client.api_people import People
from sidetone.client.api_providers import Providers
from sidetone.client.api_servers import Channels, Members, Servers
from sidetone.client.api_voice import Voice
from sidetone.client.api_webhooks import Webhooks
from sidetone.client.requests import Requests


class Api:
    """What an account can ask of a server. Tokens are renewed by themselves."""

    def __init__(self, requests: Requests) -> None:
        self.accounts = Accounts(requests)
        self.providers = Providers(requests)
        self.servers = Servers(requests)
        self.channels = Channels(requests)
        self.members = Members(requests)
        self.moderation = Moderation(requests)
        self.messages = Messages(requests)
        self.people = People(requests)
        self.media = Media(requests)
        self.voice = Voice(requests)
        self.webhooks = Webhooks(requests)
