"""``./just cluster``: run a cluster on this machine until Ctrl-C."""

import argparse
import signal
import threading

import pytest

from tests.cluster.stage import Options, open_cluster


def main() -> None:
    """Run it, and say where everything is."""
    parser = argparse.ArgumentParser(prog="./just cluster", description=__doc__)
    parser.add_argument("--port", type=int, default=7700, help="where the balancer listens")
    parser.add_argument("--cql", action="store_true", help="keep messages in a Cassandra")
    asked = parser.parse_args()
    options = Options(port=asked.port, limited=True, durable=True, cql=asked.cql)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        with open_cluster(options) as cluster:
            print(f"The cluster is up: {cluster.url}")
            print(f"Open the client: ./just client {cluster.url}")
            for name, engine in cluster.engines.items():
                print(f"  {name:<12} {engine.url}")
            for name, program in cluster.programs.items():
                print(f"  {name:<12} {program.url}  log: {program.log}")
            print("Ctrl-C ends it, and its data are gone.", flush=True)
            ended.wait()
    except (pytest.skip.Exception, pytest.fail.Exception) as reason:
        raise SystemExit(f"the cluster cannot run: {reason}") from None


if __name__ == "__main__":
    main()
