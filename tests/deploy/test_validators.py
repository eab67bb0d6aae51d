"""What the schemas and linters of others say; each skips where its package is not installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.rendered import OVERLAYS, ROOT, kustomized

# The oldest version that the manifests are for, and the newest that is known.
KUBERNETES = ("1.32", "1.37")
FOLDER = Path(sys.executable).parent


def program(name: str, package: str) -> str:
    found = shutil.which(name, path=f"{FOLDER}{os.pathsep}{os.environ.get('PATH', '')}")
    return found or pytest.skip(f"{name} is not installed here ({package})")


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("folder", [*(f"overlays/{name}" for name in OVERLAYS), "migrate"])
def test_manifests_are_what_kubernetes_takes(folder: str, tmp_path: Path) -> None:
    validate = program("kubernetes-validate", "uv sync --group deploy")
    file = tmp_path / "manifests.yaml"
    file.write_text(kustomized(folder))
    for version in KUBERNETES:
        run(validate, "--strict", "--no-warn", "-k", version, str(file))


def test_the_compose_file_is_one() -> None:
    check = program("check-jsonschema", "uv sync --group deploy")
    run(check, "--builtin-schema", "vendor.compose-spec", "infra/compose.yaml")


def test_workflows_are_workflows() -> None:
    check = program("check-jsonschema", "uv sync --group deploy")
    files = [str(file) for file in sorted((ROOT / ".github" / "workflows").glob("*.yml"))]
    run(check, "--builtin-schema", "vendor.github-workflows", *files)


def test_workflows_do_what_they_mean() -> None:
    lint = program("actionlint", "go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.7")
    run(lint, "-no-color", "-shellcheck=", "-pyflakes=")


def test_the_dockerfile_follows_good_practice() -> None:
    run(program("hadolint", "uv sync --group deploy"), "infra/images/Dockerfile")


def test_the_proxy_takes_its_configuration(tmp_path: Path) -> None:
    nginx = program("nginx", "apt-get install nginx-light")
    _make_key(tmp_path)
    text = (ROOT / "infra" / "compose" / "nginx.conf").read_text()
    text = text.replace("/run/secrets", str(tmp_path)).replace("/tmp/nginx.pid", f"{tmp_path}/pid")
    if _version(nginx) < "1.25":
        text = text.replace("http2 on;", "")
    file = tmp_path / "nginx.conf"
    file.write_text(text)
    run(nginx, "-t", "-q", "-p", str(tmp_path), "-e", "stderr", "-c", str(file))


def _version(nginx: str) -> str:
    said = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=True).stderr
    return said.partition("/")[2].strip()


def _make_key(folder: Path) -> None:
    script = ROOT / "infra" / "scripts" / "new_secrets.py"
    made = folder / "made"
    subprocess.run(
        [sys.executable, str(script), str(made), "--public-host", "localhost"],
        check=True,
        capture_output=True,
    )
    for file in (made / "proxy").iterdir():
        file.rename(folder / file.name)
