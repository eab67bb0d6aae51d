import asyncio

from sidetone.all_in_one.demo.proxy import Address, LossyProxy, Weather


class Echo(asyncio.DatagramProtocol):
    """Answers each datagram; remembers who asked."""

    def __init__(self) -> None:
        self.clients: set[Address] = set()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.clients.add(addr)
        self._transport.sendto(data, addr)


class Inbox(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.received: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, _: Address) -> None:
        self.received.put_nowait(data)


async def exchange(weather: Weather, count: int) -> tuple[int, LossyProxy, int]:
    """Send *count* datagrams from each of two clients through a proxy to an echo."""
    loop = asyncio.get_running_loop()
    server, echo = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    proxy = LossyProxy(weather, seed=1)
    await proxy.start()
    front = proxy.route(*server.get_extra_info("sockname")[:2])
    inboxes: list[Inbox] = []
    transports = [server]
    for _ in range(2):
        client, inbox = await loop.create_datagram_endpoint(Inbox, remote_addr=front)
        inboxes.append(inbox)
        transports.append(client)
        for number in range(count):
            before = proxy.lost + proxy.relayed
            client.sendto(str(number).encode())
            async with asyncio.timeout(5):
                while proxy.lost + proxy.relayed == before:
                    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        while sum(inbox.received.qsize() for inbox in inboxes) < proxy.relayed:
            await asyncio.sleep(0)
    proxy.close()
    for transport in transports:
        transport.close()
    return sum(inbox.received.qsize() for inbox in inboxes), proxy, len(echo.clients)


async def test_in_good_weather_everything_arrives_and_clients_stay_apart() -> None:
    received, proxy, clients = await exchange(Weather(), 50)
    assert (received, proxy.lost, clients) == (100, 0, 2)


async def test_in_bad_weather_the_share_is_lost_that_was_ordered() -> None:
    received, proxy, _ = await exchange(Weather(loss_ratio=0.3, jitter_ms=5), 400)
    assert received == proxy.relayed == 800 - proxy.lost
    assert 0.25 < proxy.lost / 800 < 0.35
