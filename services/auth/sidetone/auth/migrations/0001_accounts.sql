-- up
CREATE TABLE accounts (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL
);

CREATE TABLE logins (
    id UUID PRIMARY KEY,
    account UUID NOT NULL REFERENCES accounts (id),
    family_sha256 BYTEA NOT NULL UNIQUE,
    secret_sha256 BYTEA NOT NULL,
    created_at_ms BIGINT NOT NULL,
    used_at_ms BIGINT NOT NULL
);
CREATE INDEX logins_by_account ON logins (account, used_at_ms);

CREATE TABLE devices (
    id UUID PRIMARY KEY,
    account UUID NOT NULL REFERENCES accounts (id),
    identity_key BYTEA NOT NULL,
    device_key BYTEA NOT NULL,
    created_at_ms BIGINT NOT NULL,
    certificate BYTEA NOT NULL
);
CREATE INDEX devices_by_account ON devices (account);

-- The number makes the first key of a purpose unique, whoever is first to make it.
CREATE TABLE auth_keys (
    purpose TEXT NOT NULL,
    number BIGINT NOT NULL,
    id UUID NOT NULL UNIQUE,
    private BYTEA NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (purpose, number)
);
-- down
DROP TABLE auth_keys;
DROP TABLE devices;
DROP TABLE logins;
DROP TABLE accounts;
