"""Rules that hold for every object, which no schema knows."""

import re
from collections import Counter

import pytest

from sidetone.all_in_one.app import SERVICES
from sidetone.gateway.interface.upgrade import PATH as GATEWAY_PATH
from sidetone.runtime.http_probes import probes
from tests.deploy.rendered import (
    OVERLAYS,
    ROOT,
    Doc,
    matching,
    name,
    namespace,
    of,
    pods,
    program_of,
    rendered,
)

overlays = pytest.mark.parametrize("overlay", OVERLAYS)
IMAGE = re.compile(r"[a-z0-9./-]+:(?!latest)[\w.-]+(@sha256:[0-9a-f]{64})?")
OURS = "sidetone/"
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


@overlays
def test_selectors_find_the_pods_of_one_workload(overlay: str) -> None:
    docs = rendered(overlay)
    for doc in of(docs, "Deployment", "StatefulSet"):
        found = matching(docs, namespace(doc), doc["spec"]["selector"]["matchLabels"])
        assert [pod.name for pod in found] == [name(doc)]
    for doc in of(docs, "Service"):
        assert len(matching(docs, namespace(doc), doc["spec"]["selector"])) == 1, name(doc)
    for doc in of(docs, "PodDisruptionBudget"):
        found = matching(docs, namespace(doc), doc["spec"]["selector"]["matchLabels"])
        assert len(found) == 1, name(doc)
    for doc in of(docs, "PodMonitor"):
        assert matching(docs, namespace(doc), doc["spec"]["selector"]["matchLabels"])


@overlays
def test_ports_of_services_are_named_ports_of_their_pods(overlay: str) -> None:
    docs = rendered(overlay)
    for doc in of(docs, "Service"):
        (pod,) = matching(docs, namespace(doc), doc["spec"]["selector"])
        named = {port["name"] for each in pod.containers for port in each["ports"]}
        assert {port["targetPort"] for port in doc["spec"]["ports"]} <= named


@overlays
def test_the_proxy_knows_every_path_and_leads_it_to_its_service(overlay: str) -> None:
    docs = rendered(overlay)
    services = {
        (name(doc), port["name"]) for doc in of(docs, "Service") for port in doc["spec"]["ports"]
    }
    led = {}
    for doc in of(docs, "Ingress"):
        for path in doc["spec"]["rules"][0]["http"]["paths"]:
            service = path["backend"]["service"]
            assert (service["name"], service["port"]["name"]) in services
            led[path["path"]] = service["name"]
    wanted = {f"/{service}": service for service in SERVICES}
    assert led == wanted | {GATEWAY_PATH: "gateway", "/sidetone-files": "s3"}


@overlays
def test_the_server_has_one_name_everywhere(overlay: str) -> None:
    docs = rendered(overlay)
    (settings,) = (doc["data"] for doc in of(docs, "ConfigMap") if "public-host" in doc["data"])
    host = settings["public-host"]
    assert settings["s3-public-url"] == f"https://{host}"
    for doc in of(docs, "Ingress"):
        assert [rule["host"] for rule in doc["spec"]["rules"]] == [host]
        assert doc["spec"]["tls"] == [{"hosts": [host], "secretName": "tls"}]
    (certificate,) = of(docs, "Certificate")
    assert certificate["spec"]["dnsNames"] == [host]
    # Members pin the key.
    assert certificate["spec"]["privateKey"]["rotationPolicy"] == "Never"


@overlays
def test_probes_ask_what_is_answered(overlay: str) -> None:
    routes = {path for handler in probes([], bytes) for path in handler.paths}
    for pod in pods(rendered(overlay)):
        for container in pod.spec["containers"]:
            if pod.name == "migrate":
                continue
            assert set(PROBES) <= set(container), pod.name
            ports = {port["name"] for port in container["ports"]}
            for probe in PROBES:
                asked = container[probe].get("httpGet")
                assert asked is None or asked["port"] in ports
            if program_of(container.get("args", [])) not in {None, "sfu"}:
                asked = [container[probe]["httpGet"] for probe in PROBES]
                assert {each["path"] for each in asked} <= routes
                assert {each["scheme"] for each in asked} == {"HTTPS"}
                assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
                assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


@overlays
def test_pods_may_do_nothing_that_they_need_not(overlay: str) -> None:
    docs = rendered(overlay)
    accounts = {(namespace(doc), name(doc)) for doc in of(docs, "ServiceAccount")}
    for pod in pods(docs):
        spec = pod.spec
        assert (pod.namespace, spec["serviceAccountName"]) in accounts
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod.containers:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert {"cpu", "memory"} == set(container["resources"]["requests"])
            assert "memory" in container["resources"]["limits"]
    users = [pod.spec["serviceAccountName"] for pod in pods(docs)]
    assert max(Counter(users).values()) == 1


@overlays
def test_only_voice_nodes_have_ports_of_the_machine(overlay: str) -> None:
    docs = rendered(overlay)
    levels = {
        name(doc): doc["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        for doc in of(docs, "Namespace")
    }
    for pod in pods(docs):
        has = any("hostPort" in port for each in pod.containers for port in each.get("ports", []))
        assert has == (pod.name == "voice-node")
        assert levels[pod.namespace] == ("privileged" if has else "restricted")
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod.spec)


@overlays
def test_images_are_pinned_and_those_of_others_by_digest(overlay: str) -> None:
    for pod in pods(rendered(overlay)):
        for container in pod.containers:
            image = container["image"]
            assert IMAGE.fullmatch(image), image
            assert image.startswith(OURS) or "@sha256:" in image, image


@overlays
def test_there_is_no_secret_in_it(overlay: str) -> None:
    docs = rendered(overlay)
    assert list(of(docs, "Secret")) == []
    for pod in pods(docs):
        for container in pod.containers:
            references = [entry.get("valueFrom", {}) for entry in container.get("env", [])]
            assert not any("secretKeyRef" in each for each in references), "mount it as a file"
            assert "envFrom" not in container


@overlays
def test_autoscalers_scale_what_exists(overlay: str) -> None:
    docs = rendered(overlay)
    deployments = {(namespace(doc), name(doc)): doc for doc in of(docs, "Deployment")}
    scaled = set()
    for doc in of(docs, "HorizontalPodAutoscaler"):
        target = (namespace(doc), doc["spec"]["scaleTargetRef"]["name"])
        assert "replicas" not in deployments[target]["spec"], "the autoscaler says how many"
        assert doc["spec"]["minReplicas"] <= doc["spec"]["maxReplicas"] <= 10
        metrics = {_metric(metric) for metric in doc["spec"]["metrics"]}
        assert "cpu at 70" in metrics
        if overlay == "large":
            own = {
                "gateway": "sidetone_gateway_sockets",
                "voice-node": "sidetone_voice_connections",
            }
            assert metrics - {"cpu at 70"} == {own[target[1]]} if target[1] in own else True
        scaled.add(target)
    # Of search indexers one works at a time.
    assert set(deployments) - scaled == {("sidetone", "search-indexer")}
    assert deployments["sidetone", "search-indexer"]["spec"]["replicas"] == 1


def _metric(metric: Doc) -> str:
    if metric["type"] == "Resource":
        target = metric["resource"]["target"]["averageUtilization"]
        return f"{metric['resource']['name']} at {target}"
    return metric["pods"]["metric"]["name"]


@overlays
def test_nothing_is_cut_off_when_a_version_replaces_another(overlay: str) -> None:
    for doc in of(rendered(overlay), "Deployment"):
        rolling = doc["spec"]["strategy"]["rollingUpdate"]
        grace = doc["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        if name(doc) == "voice-node":
            # Its ports are those of the machine; then 10 s of drain and 2 s to end.
            assert rolling == {"maxUnavailable": 1, "maxSurge": 0}
            assert grace >= 20
        else:
            assert rolling == {"maxUnavailable": 0, "maxSurge": 1}
            (container,) = doc["spec"]["template"]["spec"]["containers"]
            wait = container["lifecycle"]["preStop"]["sleep"]["seconds"]
            assert grace >= wait + 15


def test_what_the_adapter_tells_is_what_the_autoscalers_ask_for() -> None:
    text = (ROOT / "k8s" / "components" / "monitoring" / "adapter-values.yaml").read_text()
    for doc in of(rendered("large"), "HorizontalPodAutoscaler"):
        for metric in doc["spec"]["metrics"]:
            if metric["type"] == "Pods":
                assert f"seriesQuery: {_metric(metric)}{{" in text
