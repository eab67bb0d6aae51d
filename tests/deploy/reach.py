"""Who may speak to whom, by the network policies: both sides have to allow it."""

from itertools import chain
from typing import NamedTuple

from tests.deploy.rendered import Doc, name, namespace, of


class Place(NamedTuple):
    """One end of a connection."""

    namespace: str
    labels: dict[str, str]
    # The numbers of its named ports.
    ports: dict[str, int]


class Network:
    """Answers as a cluster would that enforces the policies of *docs*."""

    def __init__(self, docs: list[Doc]) -> None:
        self._policies = list(of(docs, "NetworkPolicy"))
        self._labels = {
            name(doc): doc["metadata"].get("labels", {}) for doc in of(docs, "Namespace")
        }

    def allows(self, source: Place, target: Place, port: int, protocol: str = "TCP") -> bool:
        """Tell whether *source* may open a connection to *port* of *target*."""
        out = self._side(source, target, "Egress", target.ports, (port, protocol))
        return out and self._side(target, source, "Ingress", target.ports, (port, protocol))

    def _side(
        self,
        owner: Place,
        peer: Place,
        direction: str,
        named: dict[str, int],
        wish: tuple[int, str],
    ) -> bool:
        policies = [policy["spec"] for policy in self._policies if self._is_of(policy, owner)]
        policies = [spec for spec in policies if direction in spec["policyTypes"]]
        if not policies:
            return True
        key, peers = direction.lower(), "from" if direction == "Ingress" else "to"
        rules = chain.from_iterable(spec.get(key, []) for spec in policies)
        return any(
            self._is_peer(rule.get(peers), owner, peer)
            and _is_port(rule.get("ports"), named, wish)
            for rule in rules
        )

    def _is_of(self, policy: Doc, place: Place) -> bool:
        return namespace(policy) == place.namespace and _selects(
            policy["spec"]["podSelector"], place.labels
        )

    def _is_peer(self, peers: list[Doc] | None, owner: Place, peer: Place) -> bool:
        if peers is None:
            return True
        return any(self._names(entry, owner, peer) for entry in peers if "ipBlock" not in entry)

    def _names(self, entry: Doc, owner: Place, peer: Place) -> bool:
        if "namespaceSelector" in entry:
            labels = self._labels.get(peer.namespace, {})
            labels = labels | {"kubernetes.io/metadata.name": peer.namespace}
            if not _selects(entry["namespaceSelector"], labels):
                return False
        elif peer.namespace != owner.namespace:
            return False
        return _selects(entry.get("podSelector", {}), peer.labels)


def _selects(selector: Doc, labels: dict[str, str]) -> bool:
    assert set(selector) <= {"matchLabels"}, "a selector that this test does not know"
    return selector.get("matchLabels", {}).items() <= labels.items()


def _is_port(ports: list[Doc] | None, named: dict[str, int], wish: tuple[int, str]) -> bool:
    if ports is None:
        return True
    port, protocol = wish
    for entry in ports:
        first = named.get(entry["port"], 0) if isinstance(entry["port"], str) else entry["port"]
        if first <= port <= entry.get("endPort", first) and entry["protocol"] == protocol:
            return True
    return False
