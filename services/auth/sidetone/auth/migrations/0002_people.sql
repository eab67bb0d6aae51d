-- up
ALTER TABLE accounts ADD COLUMN display_name TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN bio TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN avatar UUID;
ALTER TABLE accounts ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE accounts ADD COLUMN bot BOOLEAN NOT NULL DEFAULT FALSE;
-- A closed account keeps its row, so that nobody gets its name.
ALTER TABLE accounts ADD COLUMN closed BOOLEAN NOT NULL DEFAULT FALSE;

ALTER TABLE logins ADD COLUMN client TEXT NOT NULL DEFAULT '';
ALTER TABLE logins ADD COLUMN address TEXT NOT NULL DEFAULT '';

-- Only verified addresses stand here: one belongs to one account.
CREATE TABLE addresses (
    account UUID PRIMARY KEY REFERENCES accounts (id),
    address TEXT NOT NULL,
    address_key TEXT NOT NULL UNIQUE
);

-- What was sent by mail: the newest of a purpose and account holds.
CREATE TABLE mail_tokens (
    account UUID NOT NULL REFERENCES accounts (id),
    purpose TEXT NOT NULL,
    token_sha256 BYTEA NOT NULL UNIQUE,
    address TEXT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    PRIMARY KEY (account, purpose)
);

CREATE TABLE totp (
    account UUID PRIMARY KEY REFERENCES accounts (id),
    secret BYTEA NOT NULL,
    confirmed BOOLEAN NOT NULL,
    last_step BIGINT NOT NULL
);

CREATE TABLE recovery_codes (
    account UUID NOT NULL REFERENCES accounts (id),
    code_sha256 BYTEA NOT NULL,
    PRIMARY KEY (account, code_sha256)
);

CREATE TABLE passkeys (
    id UUID PRIMARY KEY,
    account UUID NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    credential BYTEA NOT NULL UNIQUE,
    public_key BYTEA NOT NULL,
    uses BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    used_at_ms BIGINT
);
CREATE INDEX passkeys_by_account ON passkeys (account);

CREATE TABLE identities (
    provider TEXT NOT NULL,
    subject TEXT NOT NULL,
    account UUID NOT NULL REFERENCES accounts (id),
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (provider, subject),
    UNIQUE (account, provider)
);

-- The login is what tokens of the bot name; a new secret is a new login.
CREATE TABLE bots (
    account UUID PRIMARY KEY REFERENCES accounts (id),
    owner UUID NOT NULL REFERENCES accounts (id),
    login UUID NOT NULL,
    token_sha256 BYTEA NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL
);
CREATE INDEX bots_by_owner ON bots (owner);
-- down
DROP TABLE bots;
DROP TABLE identities;
DROP TABLE passkeys;
DROP TABLE recovery_codes;
DROP TABLE totp;
DROP TABLE mail_tokens;
DROP TABLE addresses;
ALTER TABLE logins DROP COLUMN address;
ALTER TABLE logins DROP COLUMN client;
ALTER TABLE accounts DROP COLUMN closed;
ALTER TABLE accounts DROP COLUMN bot;
ALTER TABLE accounts DROP COLUMN version;
ALTER TABLE accounts DROP COLUMN avatar;
ALTER TABLE accounts DROP COLUMN bio;
ALTER TABLE accounts DROP COLUMN display_name;
