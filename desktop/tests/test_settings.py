"""The settings: what is set holds at once, and in the next run."""

from pathlib import Path
from zipfile import ZipFile

from desktop.tests.stage import Stage
from sidetone.desktop.domain.preferences import Preferences
from sidetone.desktop.infrastructure.preferences_file import PreferencesFile


def kept(folder: Path) -> Preferences:
    return PreferencesFile(folder / "preferences.json").load()[0]


async def test_what_is_set_holds_at_once_and_in_the_next_run(stage: Stage) -> None:
    window = await stage.window("nova", HOME=str(stage.folder))
    await window.register("nova")
    await window.click("open-settings")
    sections = ("sessions", "devices", "sound", "keys", "notifications", "privacy", "advanced")
    for section in sections:
        await window.click(f"settings-{section}")
        await window.sees(f"settings-{section}")
    await window.click("diagnostics")
    await window.sees_text("sidetone-diagnostics.zip")
    with ZipFile(stage.folder / "sidetone-diagnostics.zip") as written:
        assert "nova" not in b"".join(map(written.read, written.namelist())).decode()
    await window.click("settings-appearance")
    await window.click("set-theme")
    await window.page.get_by_text("Light").first.click()
    while kept(window.folder).appearance.theme != "light":
        await window.page.wait_for_timeout(50)
    # Nothing has the focus now, and keys of the window are heard all the same.
    await window.press("Escape")
    await window.misses("settings-appearance")
    await window.click("open-settings")
    await window.click("settings-appearance")
    await window.click("set-motion")
    await window.click("set-language")
    await window.page.get_by_text("Deutsch").first.click()
    await window.sees_text("Aussehen und Sprache")
    # What the server refuses is told in it too.
    await window.click("settings-account")
    await window.type("profile-name", "x" * 33)
    await window.click("profile-save")
    await window.hears("profile-problem", "Ein gezeigter Name hat höchstens 32 Zeichen")
    await window.process.stop()
    assert kept(window.folder).appearance.reduced_motion
    assert kept(window.folder).language == "de"
    assert not window.process.unhappy()
