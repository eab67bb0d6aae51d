"""What may differ between two deployments of chat."""

from sidetone.runtime.deployment import Count, Days, HttpSettings, Port
from sidetone.runtime.settings import Secret


class Settings(HttpSettings, frozen=True, kw_only=True):
    """Read from ``SIDETONE_CHAT_*``.

    Without *typesense_url* there is no search. Where ``sidetone service search-indexer`` fills the
    index, set *indexes* to false, and let the key be the search key that is set there. Without
    *messages_url* (``cql://…``, ScyllaDB or Cassandra) messages are kept in the database; for ever
    where they are kept for zero days. The limit of messages is that of one author in one channel.
    """

    port: Port = 8102
    invites_per_address_per_minute: Count = 10
    messages_per_channel_in_five_seconds: Count = 5
    messages_url: str = ""
    messages_kept_days: Days = 0
    typesense_url: str = ""
    typesense_api_key: Secret = ""
    indexes: bool = True


class IndexerSettings(HttpSettings, frozen=True, kw_only=True):
    """Read from ``SIDETONE_SEARCH_INDEXER_*``; where messages are is as chat has it.

    *typesense_search_key* is any secret that chat has as its key: the indexer tells Typesense
    that it may search, and no more.
    """

    port: Port = 8109
    messages_url: str = ""
    typesense_url: str
    typesense_api_key: Secret
    typesense_search_key: Secret = ""
