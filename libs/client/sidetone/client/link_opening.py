"""Connect to a voice node: by each address of its name in turn, each with a socket of its own."""

import asyncio
import socket
from collections.abc import Callable

from aioquic.quic.connection import NetworkAddress

from sidetone.client.media_path import MediaPath
from sidetone.client.voice_link import LinkListener, VoiceLink
from sidetone.protocol.refusals import Unavailable


async def open_link(
    host: str,
    port: int,
    pin: bytes,
    listener: LinkListener,
    timeout_seconds: float,
    new_path: Callable[[], MediaPath] | None = None,
) -> VoiceLink:
    """Connect to the voice node at *host* that holds the key of *pin*.

    Media go by a path of *new_path*, where there is one, and else by aioquic as all the rest.
    Raises ``Unavailable`` when no address of *host* answers in time, ``Unauthenticated`` when one
    does with another key.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except OSError:
        raise Unavailable(
            "node_unknown", f"the voice node's name {host} cannot be resolved"
        ) from None
    for family, _, _, _, address in found:
        path = new_path() if new_path is not None else None
        link = await _open_at(family, address, VoiceLink(host, pin, listener, path), path)
        try:
            async with asyncio.timeout(timeout_seconds):
                await link.connected
        except TimeoutError:
            link.abort()
        except BaseException:
            link.abort()
            raise
        else:
            return link
    raise Unavailable(
        "node_unreachable",
        f"no answer from the voice node at {host}, UDP port {port}; a firewall may block UDP",
    )


async def _open_at(
    family: int, address: NetworkAddress, link: VoiceLink, path: MediaPath | None
) -> VoiceLink:
    any_host = "::" if family == socket.AF_INET6 else "0.0.0.0"  # noqa: S104 (a client's own end)
    if path is None:
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: link, local_addr=(any_host, 0), family=family)
    else:
        bound = socket.socket(family, socket.SOCK_DGRAM)
        bound.bind((any_host, 0))
        link.connection_made(path.open(bound, link.datagram_received))
    link.connect(address)
    return link
