"""The system changes between light and dark, and names stay readable."""

import io
from typing import Final, Literal

from PIL import Image

from desktop.tests.stage import Stage, Window
from sidetone.desktop.domain.readable_color import contrast
from sidetone.protocol.ids import ChannelId, RoleId, ServerId, UserId
from sidetone.protocol.servers import CreateRole
from tests.waiting import until

# It can be read on a light ground as it is, and on a dark one only when it is made lighter.
_GRAY = 0x404040
Scheme = Literal["dark", "light"]
# What a name in it has on either ground; edges of letters are less than their ink.
_CONTRASTS: Final[dict[Scheme, float]] = {"dark": 4.2, "light": 6.0}


async def test_names_are_readable_after_the_system_turns_dark_or_light(stage: Stage) -> None:
    bolt = await stage.client("bolt")
    home = await bolt.api.servers.create("Apex Squad")
    server = ServerId(home.id)
    role = await bolt.api.members.create_role(server, CreateRole("Gray", color=_GRAY))
    await bolt.api.members.give_role(server, UserId(bolt.user.id), RoleId(role.id))
    texts = [each for each in await bolt.api.channels.of(home.id) if each.kind == "text"]
    said = await bolt.api.messages.send(ChannelId(texts[0].id), "hello")
    window = await stage.window("bolt")
    await window.sign_in("bolt")
    await window.click("server-Apex Squad")
    turns: tuple[Scheme, ...] = ("light", "dark", "light")
    for scheme in turns:
        await window.page.emulate_media(color_scheme=scheme)
        await until(lambda scheme=scheme: _readable(window, f"message-{said.id}", scheme))
    assert not window.process.unhappy()


async def _readable(window: Window, message: str, scheme: Scheme) -> bool:
    """Tell whether the ground is of this scheme, and the author's name can be read on it."""
    box = await (await window.sees(message)).bounding_box()
    assert box is not None
    name = {"x": box["x"] + 68, "y": box["y"], "width": 26, "height": 24}
    taken = await window.page.screenshot(clip=name)  # pyright: ignore[reportArgumentType]
    picture = Image.open(io.BytesIO(taken)).convert("RGB")
    ground = picture.getpixel((0, 0))
    inks = [_hex(picture.getpixel((x, y))) for x in range(26) for y in range(24)]
    is_light = contrast(_hex(ground), "#FFFFFF") < contrast(_hex(ground), "#000000")
    most = max(contrast(_hex(ground), ink) for ink in inks)
    return is_light == (scheme == "light") and most >= _CONTRASTS[scheme]


def _hex(pixel: object) -> str:
    assert isinstance(pixel, tuple)
    return "#" + "".join(f"{channel:02X}" for channel in pixel)
