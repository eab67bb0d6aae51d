"""What may connect is what has to, and nothing else."""

import pytest

from tests.deploy.reach import Network, Place
from tests.deploy.rendered import OVERLAYS, PROGRAMS, pods, rendered

ENGINE_PORTS = {"postgres": 5432, "valkey": 6379, "nats": 4222, "typesense": 8108, "s3": 8333}
SERVICES = [program for program in PROGRAMS if program != "sfu"]
NEEDED = {
    *((service, engine) for service in SERVICES for engine in ("postgres", "valkey", "nats")),
    ("chat", "typesense"),
    ("search-indexer", "typesense"),
    ("media", "s3"),
    ("migrate", "postgres"),
    ("voice-node", "nats"),
}
OUTSIDE = Place("elsewhere", {}, {})


def places(overlay: str) -> dict[str, Place]:
    """Return every pod of an overlay by its name, those of operators as these make them."""
    found = {}
    for pod in pods(rendered(overlay)):
        ports = [port for each in pod.containers for port in each.get("ports", [])]
        named = {port["name"]: port["containerPort"] for port in ports}
        found[pod.name] = Place(pod.namespace, pod.labels, named)
    found.setdefault("postgres", Place("sidetone", {"sidetone/engine": "postgres"}, {}))
    return found


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_exactly_what_needs_an_engine_reaches_it(overlay: str) -> None:
    at, network = places(overlay), Network(rendered(overlay))
    clients = [*SERVICES, "voice-node", "migrate"]
    reached = {
        (client, engine)
        for client in clients
        for engine, port in ENGINE_PORTS.items()
        if network.allows(at[client], at[engine], port)
    }
    assert reached == NEEDED


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_services_are_reached_by_the_proxy_and_by_metrics_alone(overlay: str) -> None:
    at, network = places(overlay), Network(rendered(overlay))
    for service in SERVICES:
        port = at[service].ports["https"]
        assert network.allows(Place("haproxy-controller", {}, {}), at[service], port)
        assert network.allows(Place("monitoring", {}, {}), at[service], port)
        assert not network.allows(OUTSIDE, at[service], port)
        assert not any(network.allows(at[other], at[service], port) for other in at)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_members_reach_voice_nodes_and_nothing_else_of_them(overlay: str) -> None:
    at, network = places(overlay), Network(rendered(overlay))
    node = at["voice-node"]
    for port in range(7700, 7704):
        assert network.allows(OUTSIDE, node, port, "UDP")
    for port in range(9700, 9704):
        assert network.allows(Place("monitoring", {}, {}), node, port)
        assert not network.allows(OUTSIDE, node, port)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_signed_links_to_files_pass_the_proxy(overlay: str) -> None:
    at, network = places(overlay), Network(rendered(overlay))
    assert network.allows(Place("haproxy-controller", {}, {}), at["s3"], ENGINE_PORTS["s3"])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_names_are_found_by_every_pod(overlay: str) -> None:
    network = Network(rendered(overlay))
    names = Place("kube-system", {"k8s-app": "kube-dns"}, {})
    for place in places(overlay).values():
        assert network.allows(place, names, 53, "UDP")


def test_the_servers_of_one_bus_reach_each_other() -> None:
    at, network = places("large"), Network(rendered("large"))
    assert network.allows(at["nats"], at["nats"], 6222)
    assert not network.allows(at["chat"], at["nats"], 6222)
