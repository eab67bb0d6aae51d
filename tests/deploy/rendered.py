"""The manifests as Kubernetes gets them, and what of ours they start.

They are rendered by ``kubectl kustomize``; where there is neither kubectl nor kustomize the tests
skip.
"""

import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import yaml

import sidetone.auth.settings
import sidetone.chat.settings
import sidetone.gateway.settings
import sidetone.integrations.settings
import sidetone.media.settings
import sidetone.presence.settings
import sidetone.voice.settings
import sidetone.voice_sfu.settings

ROOT = Path(__file__).parents[2]
OVERLAYS = ("small", "large")
# By the module that a container runs: the prefix of its variables, and what reads them.
SETTINGS: dict[str, tuple[str, type[msgspec.Struct]]] = {
    "sidetone.auth": ("SIDETONE_AUTH", sidetone.auth.settings.Settings),
    "sidetone.chat": ("SIDETONE_CHAT", sidetone.chat.settings.Settings),
    "sidetone.gateway": ("SIDETONE_GATEWAY", sidetone.gateway.settings.Settings),
    "sidetone.media": ("SIDETONE_MEDIA", sidetone.media.settings.Settings),
    "sidetone.integrations": ("SIDETONE_INTEGRATIONS", sidetone.integrations.settings.Settings),
    "sidetone.presence": ("SIDETONE_PRESENCE", sidetone.presence.settings.Settings),
    "sidetone.voice": ("SIDETONE_VOICE", sidetone.voice.settings.Settings),
    "sidetone.voice_sfu": ("SIDETONE_SFU", sidetone.voice_sfu.settings.Settings),
}
# What nobody may read in a manifest: its variable names a file.
SECRET_FIELDS = {
    "bus", "database_url", "nats_url", "providers", "s3_secret_key", "smtp_password",
    "typesense_api_key", "valkey_url",
}  # fmt: skip
Doc = dict[str, Any]


class Pod(NamedTuple):
    """A pod that some workload makes."""

    namespace: str
    name: str
    labels: dict[str, str]
    spec: Doc

    @property
    def containers(self) -> list[Doc]:
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]


@cache
def kustomized(folder: str) -> str:
    """Return the YAML of a kustomization under ``k8s``."""
    if shutil.which("kubectl"):
        command = ["kubectl", "kustomize"]
    elif shutil.which("kustomize"):
        command = ["kustomize", "build"]
    else:
        pytest.skip("kubectl is missing: it renders the manifests (so does kustomize)")
    return subprocess.check_output([*command, str(ROOT / "k8s" / folder)], text=True)


@cache
def rendered(overlay: str) -> list[Doc]:
    """Return the objects of an overlay, the migration among them."""
    text = kustomized(f"overlays/{overlay}") + "\n---\n" + kustomized("migrate")
    return [doc for doc in yaml.load_all(text, yaml.CSafeLoader) if doc]


def of(docs: list[Doc], *kinds: str) -> Iterator[Doc]:
    """Yield the objects of these kinds."""
    return (doc for doc in docs if doc["kind"] in kinds)


def name(doc: Doc) -> str:
    return doc["metadata"]["name"]


def namespace(doc: Doc) -> str:
    return doc["metadata"].get("namespace", "")


def pods(docs: list[Doc]) -> list[Pod]:
    """Return a pod of each workload."""
    made = []
    for doc in of(docs, "Deployment", "StatefulSet", "Job"):
        template = doc["spec"]["template"]
        labels = template["metadata"]["labels"]
        made.append(Pod(namespace(doc), name(doc), labels, template["spec"]))
    return made


def matching(docs: list[Doc], place: str, wanted: dict[str, str]) -> list[Pod]:
    """Return the pods of a namespace that a selector finds."""
    return [
        pod
        for pod in pods(docs)
        if pod.namespace == place and wanted.items() <= pod.labels.items()
    ]


def module_of(container: Doc) -> str | None:
    """Return which of our modules a container runs."""
    words = [*container.get("args", []), *container.get("command", [])]
    return next((word for word in words if word in SETTINGS), None)


@cache
def compose() -> Doc:
    """Return the compose file."""
    return yaml.load((ROOT / "infra" / "compose.yaml").read_text(), yaml.CSafeLoader)
