# List the recipes.
help:
    @just --list

# Watch three members hear each other through a server that cannot decrypt them.
[no-exit-message]
demo *args:
    @sidetone demo {{ args }}

# Open the client: friends, servers, voice: `./just client [sidetone://…]`.
[no-exit-message]
client *args: _client
    @sidetone client {{ args }}

# Run a server on this machine: every service, its voice nodes, one folder of data.
[no-exit-message]
serve *args:
    @sidetone serve {{ args }}

# What runs: load, lag, versions, health of engines: `./just status [URL]...`.
[no-exit-message]
status *args:
    @sidetone status {{ args }}

# Run one service on PostgreSQL, Valkey and NATS: `./just service chat`.
[no-exit-message]
service *args:
    @sidetone service {{ args }}

# Run this machine's voice nodes beside services that run apart.
[no-exit-message]
sfu *args:
    @sidetone sfu {{ args }}

# Run a whole cluster on this machine: two of each service, real engines: `./just cluster`.
[no-exit-message]
cluster *args:
    @python -m tests.cluster {{ args }}

# Check a file of VX1 test vectors.
[no-exit-message]
vectors file:
    @sidetone vectors {{ file }}

# The client as a program with its installer for this system, in dist/: `./just package 1.2.3`.
package version:
    @uv sync -q --frozen --inexact --extra client --extra window --group package
    infra/desktop/package.sh {{ version }}

# Everything that a change must pass, fastest first.
check: lint types test

# Style and architecture.
lint: _lint-tools _client
    ruff format --check
    ruff check
    lint-imports

types: _lint-tools _client
    basedpyright

# Tests, three files at a time, the folders with the longest first; those that need an engine skip
# where it is missing.
test *args: _client _browser _deploy
    pytest -n 3 --dist loadfile --no-loadscope-reorder {{ args }}

# The stories that take minutes each in the browser.
test-long *args: _client _browser
    pytest -m long {{ args }}

# The stories on a whole cluster of processes, and what an operator does to one: `./just test-cluster --cql`.
test-cluster *args:
    pytest -m cluster tests/scenarios tests/observability {{ args }}

# Messages on CQL: needs Java 17 and Maven, which fetches a Cassandra for the tests.
test-cql *args:
    pytest -m cql services/chat services/all_in_one/tests/test_copy_messages.py {{ args }}

# The same with ten times as many examples of each property: for a night.
test-thorough *args: _client _browser
    HYPOTHESIS_PROFILE=thorough pytest -n 3 --dist loadfile --no-loadscope-reorder --timeout 1200 {{ args }}

# Kill every process and engine of a cluster, one by one: `./just chaos --minutes 10 --json FILE`.
chaos *args: _client
    python -m tests.cluster.chaos {{ args }}

# Fifty members in one channel, two speaking, on one voice node: memory, losses, CPU.
soak seconds="60":
    python -m tests.load.soak_sfu --seconds {{ seconds }}

# Eight members, each behind a network that loses, doubles, delays and changes datagrams.
soak-fastpath seconds="60":
    python -m tests.load.soak_fastpath --seconds {{ seconds }}

# Ten speakers over a bad network into real audio threads: `./just soak-audio 1800`.
soak-audio seconds="60":
    python -m tests.load.soak_audio --seconds {{ seconds }}

# Speed and quality, measured: `./just bench api|audio|client|quality|sfu|video --json FILE`.
bench what *args:
    python -m tests.load.bench_{{ what }} {{ args }}

# Pictures of every screen of the client, in docs/screenshots: `./just screenshots --chapter chat`.
screenshots *args: _client _browser
    python -m tests.screenshots {{ args }}

# Ask every route what its document says and what it does not: thousands of requests.
fuzz-api *args:
    python -m tests.api.fuzz {{ args }}

# Fuzz the kernels that read packets, or compare both servers: `./just fuzz-sfu --differential`.
fuzz-sfu *args:
    python -m tests.load.fuzz_sfu {{ args }}

# Bring databases up to date, back, or show where they are: `./just migrate status`.
[no-exit-message]
migrate *args:
    @sidetone migrate {{ args }}

# Look at all that deploys it: images, compose, manifests, workflows; schemas of others and own rules.
validate-k8s *args: _deploy
    pytest tests/deploy {{ args }}

# The documentation as a site, in site/: every link in it leads somewhere.
docs *args:
    @uv sync -q --frozen --inexact --group docs
    NO_MKDOCS_2_WARNING=1 mkdocs build --strict {{ args }}

# Known weaknesses of the packages in uv.lock.
audit:
    @uv sync -q --frozen --inexact --group audit
    mkdir -p build
    uv export -q --frozen --all-packages --all-extras --no-emit-workspace > build/audit.txt
    pip-audit --disable-pip --require-hashes -r build/audit.txt

# Make the secrets of a server in parts: `./just secrets DIR --public-host NAME`.
secrets folder *args:
    python infra/scripts/new_secrets.py {{ folder }} {{ args }}

# Write the forms of all types on the wire down anew, after a change that means to change them.
golden:
    python -m libs.protocol.tests.examples

# Write the dashboards for Grafana, after a change of infra/observability/boards.
dashboards:
    python -m infra.observability.write_dashboards

# Write docs/metrics.md anew, from what a running cluster offers.
metrics:
    python -m tests.observability.metrics_document

# Write the document of public events anew, after a change of their types.
asyncapi:
    python -m sidetone.integrations.interface.asyncapi docs/asyncapi.json

# Write the words of the client into its catalogues, for translators.
messages: _client
    python -m infra.scripts.write_messages

# Fix what can be fixed by machine.
fix: _lint-tools
    ruff format
    ruff check --fix

# Start a decision record: `./just decide "ids are UUIDv7"`.
decide title:
    python infra/scripts/new_decision.py "{{ title }}"

# The client and what it stands on: pictures, devices, video.
_client:
    @uv sync -q --frozen --inexact --extra client

# What the client's tests need beside a Chromium.
_browser:
    @uv sync -q --frozen --inexact --group browser

# Schemas and linters of what deploys it.
_deploy:
    @uv sync -q --frozen --inexact --group deploy

_lint-tools:
    @uv sync -q --frozen --inexact --group lint
