#!/bin/sh
# Runs once, when the database is made: services are no superusers.
set -eu

password=$(cat "$SIDETONE_PASSWORD_FILE")
psql -q -v ON_ERROR_STOP=1 -v password="$password" --username postgres <<'SQL'
CREATE ROLE sidetone LOGIN PASSWORD :'password';
CREATE DATABASE sidetone OWNER sidetone;
SQL
