import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sidetone.desktop.infrastructure.link_handler import desktop_file, register

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="desktop files are Linux's")


@pytest.mark.skipif(shutil.which("xdg-mime") is None, reason="xdg-mime is not installed")
def test_the_system_knows_who_opens_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    applications = tmp_path / "data" / "applications"
    assert register(["/opt/sidetone/client"], applications)
    asked = ["xdg-mime", "query", "default", "x-scheme-handler/sidetone"]
    assert subprocess.check_output(asked, text=True).strip() == "sidetone.desktop"
    assert (applications / "sidetone.desktop").read_text() == desktop_file(
        ["/opt/sidetone/client"]
    )


@pytest.mark.skipif(
    shutil.which("desktop-file-validate") is None, reason="desktop-file-utils is not installed"
)
def test_the_desktop_file_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "sidetone.desktop"
    path.write_text(desktop_file(["/opt/a b/client", 'c"d$e`f\\g%h']))
    subprocess.run(["desktop-file-validate", str(path)], check=True)


def test_a_path_with_anything_in_it_is_one_argument() -> None:
    line = desktop_file(['/a b/c"d', "e$f", "g%h"]).splitlines()[3]
    assert line == r'Exec="/a b/c\\"d" "e\\$f" "g%%h" %u'


def test_where_nothing_can_be_written_nothing_is_registered(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert not register(["client"], tmp_path / "file")
