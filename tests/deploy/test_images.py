"""The images: pinned, nobody's root, and with what the build needs of this repository."""

import re

from tests.deploy.rendered import PROGRAMS, ROOT

TEXT = (ROOT / "infra" / "images" / "Dockerfile").read_text()
IGNORE = (ROOT / "infra" / "images" / "Dockerfile.dockerignore").read_text()
# The last stages, which run.
TARGETS = ("services", "server")


def stage(name: str) -> str:
    (found,) = re.findall(
        rf"^FROM \S+ AS {name}$(.*?)(?=^FROM |\Z)", TEXT, re.DOTALL | re.MULTILINE
    )
    return found


def test_the_system_below_is_pinned_by_digest() -> None:
    (python,) = re.findall(r"^ARG PYTHON=(\S+)$", TEXT, re.MULTILINE)
    assert re.fullmatch(r"python:3\.13\.\d+-slim-bookworm@sha256:[0-9a-f]{64}", python)
    stages = set(re.findall(r" AS (\S+)$", TEXT, re.MULTILINE))
    assert set(re.findall(r"^FROM (\S+)", TEXT, re.MULTILINE)) <= stages | {"${PYTHON}"}


def test_nobody_runs_as_root() -> None:
    for target in TARGETS:
        last = re.findall(r"^(USER .*|RUN .*|COPY .*)$", stage(target), re.MULTILINE)[-1]
        assert last == "USER 10001:10001"


def test_the_image_of_services_holds_every_service() -> None:
    packages = set(re.findall(r"--package (\S+)", stage("build-services")))
    modules = {words[0] for words in PROGRAMS.values()}
    assert packages == {module.replace(".", "-").replace("_", "-") for module in modules}


def test_everything_comes_from_the_lock() -> None:
    assert all("--frozen" in line for line in re.findall(r"uv sync[^\n]*", TEXT))
    assert "--require-hashes" in TEXT


def test_what_is_copied_is_not_ignored() -> None:
    kept = {line[1:] for line in IGNORE.splitlines() if line.startswith("!")}
    assert IGNORE.splitlines()[1] == "*"
    for line in re.findall(r"^COPY (?!--from)(.+)$", TEXT, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            folder, _, file = source.rpartition("/")
            pattern = f"{folder}/*.{file.rpartition('.')[2]}"
            assert source in kept or pattern in kept, source
