"""The compose file: what its schema does not say."""

import re

import pytest

from sidetone.all_in_one.app import SERVICES
from sidetone.gateway.interface.upgrade import PATH as GATEWAY_PATH
from tests.deploy.rendered import ROOT, Doc, compose

NAMES = sorted(compose()["services"])
each_service = pytest.mark.parametrize("service", NAMES)
LINE = re.compile(r"~\^/(\w+)/\s+(\w+):(\d+);")


def services() -> dict[str, Doc]:
    return compose()["services"]


@each_service
def test_everything_says_when_it_is_well(service: str) -> None:
    assert "test" in services()[service]["healthcheck"]


@each_service
def test_what_is_waited_for_is_there(service: str) -> None:
    for other, condition in services()[service].get("depends_on", {}).items():
        assert other in services()
        assert condition == {"condition": "service_healthy"}


@each_service
def test_what_is_mounted_is_declared(service: str) -> None:
    spec = services()[service]
    for kind in ("secrets", "configs"):
        for entry in spec.get(kind, []):
            assert entry["source"] in compose()[kind]
    for volume in spec.get("volumes", []):
        source = volume.partition(":")[0]
        assert source in compose()["volumes"] or (ROOT / "infra" / source).is_dir()
    for network in spec["networks"]:
        assert network in compose()["networks"]


@each_service
def test_images_are_pinned(service: str) -> None:
    image = services()[service]["image"]
    assert re.fullmatch(r"[\w./-]+:(?!latest)[\w.-]+(@sha256:[0-9a-f]{64})?", image)


def test_configurations_are_files() -> None:
    for entry in compose()["configs"].values():
        assert (ROOT / "infra" / entry["file"]).is_file(), entry


def test_no_password_is_written_down() -> None:
    for name, spec in services().items():
        for variable in spec.get("environment", {}):
            words = variable.upper().replace("-", "_").split("_")
            if {"PASSWORD", "SECRET"} & set(words):
                assert variable.endswith("_FILE"), f"{name}: {variable}"


def test_the_proxy_leads_each_path_to_its_service() -> None:
    text = (ROOT / "infra" / "compose" / "nginx.conf").read_text()
    led = {path: service for path, service, _ in LINE.findall(text)}
    assert led == {service: service for service in SERVICES}
    assert f"location = {GATEWAY_PATH} {{" in text
    bucket = services()["media"]["environment"]["SIDETONE_MEDIA_S3_BUCKET"]
    assert f"location /{bucket}/ {{" in text


def test_engines_are_reached_by_services_alone() -> None:
    assert compose()["networks"]["inner"]["internal"] is True
    outward = {name for name, spec in services().items() if "outer" in spec["networks"]}
    assert outward == {"auth", "grafana", "integrations", "media", "proxy", "voice-node"}
    opened = {name for name, spec in services().items() if "ports" in spec}
    assert opened == {"grafana", "proxy", "voice-node"}
    assert all(port.startswith("127.0.0.1:") for port in services()["grafana"]["ports"])
