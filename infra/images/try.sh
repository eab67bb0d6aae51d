#!/bin/sh
# Tries both images as they are meant to run: as nobody, on a file system that is only read.
set -eu

services=$1
server=$2
run="docker run --rm --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges"

say() { printf '%s\n' "$*" >&2; }

# What the voice node needs was compiled in the image: a start compiles nothing.
log=$($run -e NUMBA_DEBUG_CACHE=1 --entrypoint python "$services" /app/warm.py)
if printf '%s' "$log" | grep -q 'saved to'; then
    say 'the voice node compiled kernels that should be in the image'
    exit 1
fi

# A service that is told nothing says what it needs.
if $run "$services" sidetone.chat 2>error.txt; then
    say 'chat started without a database'
    exit 1
fi
grep -q 'SIDETONE_CHAT_DATABASE_URL is not set' error.txt
rm error.txt

# The whole server comes up and says so.
name=sidetone-try-$$
trap 'docker rm -f $name >/dev/null' EXIT
docker run -d --name "$name" --read-only --tmpfs /tmp --cap-drop ALL "$server" \
    serve --data /data --workers 1 --public-host localhost >/dev/null
for _ in $(seq 60); do
    state=$(docker inspect -f '{{.State.Health.Status}}' "$name")
    [ "$state" = healthy ] && break
    sleep 1
done
docker logs "$name"
[ "$state" = healthy ]
