import asyncio
import stat
import threading
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidetone.desktop.application.keep_preferences import KeepPreferences
from sidetone.desktop.domain.preferences import (
    SERVERS_MAX,
    Appearance,
    Keys,
    KnownServer,
    Notifications,
    Overlay,
    Preferences,
    Voice,
    checked,
    with_server,
)
from sidetone.desktop.domain.topics import Topic, Topics
from sidetone.desktop.infrastructure.preferences_file import PreferencesFile
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.refusals import Invalid, Unavailable

HOME = ServerId(UUID(int=7))
SET = Preferences(
    language="zh",
    appearance=Appearance(theme="high_contrast", font_percent=130, reduced_motion=True),
    voice=Voice(microphone="Yeti", activation="push_to_talk", volumes={UserId(UUID(int=1)): 0}),
    keys=Keys({"mute": "ctrl+m"}, {HOME: {"push_to_talk": "mouse4"}}),
    notifications=Notifications(
        servers={HOME: "all"}, channels={ChannelId(UUID(int=3)): "nothing"}
    ),
    overlay=Overlay(shown=True, corner="bottom_right", opacity_percent=40),
    servers=(KnownServer("sidetone://a:1#p", "A"),),
)


def replaced(**changes: object) -> Preferences:
    return msgspec.structs.replace(SET, **changes)


def test_what_is_set_is_read_again(tmp_path: Path) -> None:
    file = PreferencesFile(tmp_path / "new folder" / "preferences.json")
    assert file.load() == (Preferences(), "")
    file.save(SET)
    assert file.load() == (SET, "")
    assert stat.S_IMODE((tmp_path / "new folder" / "preferences.json").stat().st_mode) == 0o600
    assert [p.name for p in (tmp_path / "new folder").iterdir()] == ["preferences.json"]


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\x00" * 100,
        b"{}",
        b'{"version": 1, "preferences": {"overlay": {"opacity_percent": 1000}}}',
        b'{"version": 1, "preferences": []}',
        b" " * (2 << 20),
    ],
)
def test_a_damaged_file_is_set_aside_and_said(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "preferences.json"
    path.write_bytes(damage)
    preferences, problem = PreferencesFile(path).load()
    assert preferences == Preferences()
    aside = tmp_path / "preferences.damaged.json"
    assert str(aside) in problem
    assert "\n" not in problem
    assert aside.read_bytes() == damage
    assert PreferencesFile(path).load() == (Preferences(), "")


def test_a_file_of_a_newer_version_is_used_as_far_as_it_is_known_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "preferences.json"
    newer = b'{"version": 9, "preferences": {"language": "de", "telepathy": true}}'
    path.write_bytes(newer)
    preferences, problem = PreferencesFile(path).load()
    assert preferences == Preferences(language="de")
    assert "preferences.version9.json" in problem
    assert (tmp_path / "preferences.version9.json").read_bytes() == newer


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("in the way")
    with pytest.raises(Unavailable) as caught:
        PreferencesFile(tmp_path / "folder" / "preferences.json").save(SET)
    assert str(tmp_path) in caught.value.detail


def test_a_file_that_cannot_be_read_is_named_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "preferences.json"
    path.mkdir()
    preferences, problem = PreferencesFile(path).load()
    assert preferences == Preferences()
    assert str(path) in problem


@pytest.mark.parametrize(
    "wrong",
    [
        replaced(voice=Voice(input_percent=201)),
        replaced(voice=Voice(release_ms=-1)),
        replaced(voice=Voice(volumes={UserId(UUID(int=n)): 1 for n in range(1_001)})),
        replaced(appearance=Appearance(font_percent=20)),
        replaced(language="tlh"),
        replaced(servers=(KnownServer("a"),) * (SERVERS_MAX + 1)),
    ],
)
def test_what_is_out_of_range_is_refused(wrong: Preferences) -> None:
    with pytest.raises(Invalid):
        checked(wrong)


@given(
    opacity=st.integers(-50, 250),
    font=st.integers(-50, 250),
    volumes=st.dictionaries(st.uuids(), st.integers(-50, 250), max_size=3),
)
def test_what_is_within_its_range_and_nothing_else_can_be_set(
    opacity: int, font: int, volumes: dict[UserId, int]
) -> None:
    wished = replaced(
        overlay=Overlay(opacity_percent=opacity),
        appearance=Appearance(font_percent=font),
        voice=Voice(volumes=volumes),
    )
    possible = 20 <= opacity <= 100 and 80 <= font <= 160
    if possible and all(0 <= volume <= 200 for volume in volumes.values()):
        assert checked(wished) == wished
    else:
        with pytest.raises(Invalid):
            checked(wished)


def test_the_servers_used_last_are_known() -> None:
    preferences = Preferences()
    for n in range(SERVERS_MAX + 5):
        preferences = with_server(preferences, KnownServer(f"sidetone://host{n}:1#p"))
    preferences = with_server(preferences, KnownServer("sidetone://host20:1#p", "Named now"))
    assert len(preferences.servers) == SERVERS_MAX
    assert preferences.servers[0] == KnownServer("sidetone://host20:1#p", "Named now")
    assert len({s.address for s in preferences.servers}) == SERVERS_MAX


class Store:
    """Counts what is saved; *problem* makes it fail."""

    def __init__(self, problem: str = "") -> None:
        self.saved: list[Preferences] = []
        self.saving = threading.Event()
        self.problem = problem

    def load(self) -> tuple[Preferences, str]:
        return Preferences(), ""

    def save(self, preferences: Preferences) -> None:
        self.saving.set()
        if self.problem:
            raise Unavailable("disk_full", self.problem)
        self.saved.append(preferences)


async def test_many_changes_are_seen_at_once_and_written_once() -> None:
    store, told = Store(), list[Topics]()
    kept = KeepPreferences(store, Preferences(), told.append)
    for percent in range(20, 101):
        kept.change(replaced(overlay=Overlay(opacity_percent=percent)))
        assert kept.current.overlay.opacity_percent == percent
    assert told == [frozenset({Topic("preferences")})] * 81
    assert store.saved == []
    await kept.close()
    assert [each.overlay.opacity_percent for each in store.saved] == [100]


async def test_a_refused_change_changes_nothing() -> None:
    store = Store()
    kept = KeepPreferences(store, SET, lambda _: None)
    with pytest.raises(Invalid):
        kept.change(replaced(overlay=Overlay(opacity_percent=1)))
    await kept.close()
    assert kept.current == SET
    assert store.saved == []


async def test_what_cannot_be_written_is_said_and_stays_set() -> None:
    store = Store(problem="the disk is full")
    said = asyncio.Event()
    kept = KeepPreferences(
        store, Preferences(), lambda _: said.set() if store.saving.is_set() else None
    )
    kept.change(SET)
    await said.wait()
    assert kept.problem == "the disk is full"
    assert kept.current == SET
    store.problem = ""
    kept.change(replaced(language="de"))
    await kept.close()
    assert kept.problem == ""
    assert [each.language for each in store.saved] == ["de"]
