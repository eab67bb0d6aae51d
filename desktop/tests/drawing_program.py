"""Stands where Flet's own program would: takes a socket, says that it is there, and draws nothing.

It ends when its page says that the window is closed, or as soon as the first thing was drawn if it
is told to ``leave``.
"""

import asyncio
import sys

import msgpack
from flet.messaging.protocol import MessageAction

_HEAD_BYTES = 4
_PROTOCOL = b"\0"


async def main(path: str, *, leaves: bool) -> None:
    """Register at the socket at *path*, and end when a call to close the window comes.

    One that *leaves* ends before, while it is being drawn.
    """
    reader, writer = await asyncio.open_unix_connection(path)
    page = {"route": "/", "web": False, "platform": "linux", "width": 800, "height": 600}
    hello = [
        MessageAction.REGISTER_CLIENT.value,
        {"session_id": None, "page_name": "", "page": page},
    ]
    packet = _PROTOCOL + msgpack.packb(hello)
    writer.write(len(packet).to_bytes(_HEAD_BYTES, "little") + packet)
    while True:
        length = int.from_bytes(await reader.readexactly(_HEAD_BYTES), "little")
        action, body = msgpack.unpackb(
            (await reader.readexactly(length))[1:],
            ext_hook=lambda _, data: data,
            strict_map_key=False,
        )
        if leaves and action == MessageAction.PATCH_CONTROL.value:
            return
        if action == MessageAction.INVOKE_METHOD.value and body["name"] == "close":
            return


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], leaves="leave" in sys.argv))
