"""The load balancer in front of a cluster: HAProxy, as any operator would set it up.

It asks each replica whether it is ready, sends a request to another where one does not let it in,
and never repeats a request that was begun.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cluster.programs import Program, answers
from tests.engines import free_port, missing

_HEAD = """\
global
    maxconn 4000
defaults
    mode http
    option forwardfor
    # A connection of its own for each request: none is sent on one that is just being closed.
    option http-server-close
    option redispatch 1
    option httpchk GET /readyz
    retries 5
    timeout connect 1s
    timeout client 75s
    timeout server 30s
    timeout tunnel 1h
    timeout check 2s
    default-server check inter 300ms fall 1 rise 1
frontend all
    bind 127.0.0.1:{port}
    monitor-uri /balancer
"""


def balancer(replicas: Mapping[str, Sequence[str]], folder: Path, port: int | None) -> Program:
    """Return a program that serves *replicas* (``host:port``, by service) at its ``url``."""
    haproxy = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if haproxy is None:
        missing("HAProxy", "apt-get install haproxy")
    port = port or free_port()
    text = _HEAD.format(port=port)
    for name in replicas:
        path = "path /gateway" if name == "gateway" else f"path_beg /{name}/"
        text += f"    use_backend {name} if {{ {path} }}\n"
    for name, places in replicas.items():
        text += f"backend {name}\n"
        for number, place in enumerate(places, 1):
            text += f"    server {name}-{number} {place}\n"
    file = folder / "haproxy.cfg"
    file.write_text(text)
    url = f"http://127.0.0.1:{port}"
    command = [haproxy, "-db", "-f", str(file)]
    return Program(command, {}, folder / "balancer.log", lambda: answers(f"{url}/balancer"), url)
