"""Ask Kubernetes by which address the internet reaches this machine, and write it to a file.

Runs once before a voice node, with a token that the node itself never sees. Without an ExternalIP
the node could not be reached, so that is an error and not a guess.
"""

import json
import os
import ssl
import sys
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def main(written: Path, account: Path = ACCOUNT) -> None:
    """Write the address of the machine ``NODE_NAME`` to *written*."""
    name = os.environ["NODE_NAME"]
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    host = f"[{host}]" if ":" in host else host
    token = (account / "token").read_text().strip()
    request = Request(
        f"https://{host}:{port}/api/v1/nodes/{name}", headers={"authorization": f"Bearer {token}"}
    )
    context = ssl.create_default_context(cafile=str(account / "ca.crt"))
    try:
        with urlopen(request, timeout=10, context=context) as answer:  # noqa: S310
            node = json.load(answer)
    except URLError as error:
        sys.exit(f"the machine {name} cannot be asked for: {error}; is its role bound?")
    written.write_text(external_address(node))


def external_address(node: dict) -> str:
    """Return the first ExternalIP of *node*, as the API describes it."""
    for address in node["status"]["addresses"]:
        if address["type"] == "ExternalIP":
            return address["address"]
    sys.exit(
        f"the machine {node['metadata']['name']} has no ExternalIP; leave out the component "
        "node-address, or set SIDETONE_SFU_ANNOUNCED_HOST"
    )


if __name__ == "__main__":
    main(*(Path(word) for word in sys.argv[1:]))
