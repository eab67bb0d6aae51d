-- up
-- A conversation between two, and one of a group, is a server of another kind.
-- The audit columns hold the head of the chain in audit_log.
CREATE TABLE servers (
    id UUID PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    owner UUID NOT NULL,
    description TEXT NOT NULL,
    icon UUID,
    generation BIGINT NOT NULL,
    audit_number BIGINT NOT NULL,
    audit_hash BYTEA NOT NULL,
    created_at_ms BIGINT NOT NULL
);
CREATE INDEX servers_by_owner ON servers (owner);

-- The role of everyone has the server's id.
CREATE TABLE roles (
    id UUID PRIMARY KEY,
    server UUID NOT NULL REFERENCES servers (id),
    name TEXT NOT NULL,
    position BIGINT NOT NULL,
    permissions BIGINT NOT NULL,
    color BIGINT,
    hoisted BOOLEAN NOT NULL,
    mentionable BOOLEAN NOT NULL
);
CREATE INDEX roles_by_server ON roles (server, position);

CREATE TABLE members (
    server UUID NOT NULL REFERENCES servers (id),
    member UUID NOT NULL,
    joined_at_ms BIGINT NOT NULL,
    nickname TEXT,
    timeout_until_ms BIGINT NOT NULL,
    muted BOOLEAN NOT NULL,
    deafened BOOLEAN NOT NULL,
    PRIMARY KEY (server, member)
);
CREATE INDEX members_by_member ON members (member, server);

CREATE TABLE member_roles (
    server UUID NOT NULL REFERENCES servers (id),
    member UUID NOT NULL,
    role UUID NOT NULL REFERENCES roles (id),
    PRIMARY KEY (server, member, role)
);
CREATE INDEX member_roles_by_role ON member_roles (role);

-- An archived thread stays here and is in no server's state.
CREATE TABLE channels (
    id UUID PRIMARY KEY,
    server UUID NOT NULL REFERENCES servers (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    position BIGINT NOT NULL,
    parent UUID,
    topic TEXT NOT NULL,
    slow_mode_seconds BIGINT NOT NULL,
    origin UUID,
    creator UUID,
    archived BOOLEAN NOT NULL
);
CREATE INDEX channels_by_server ON channels (server, archived, id);
CREATE INDEX channels_by_parent ON channels (parent, archived, id);

CREATE TABLE overwrites (
    channel UUID NOT NULL REFERENCES channels (id),
    subject UUID NOT NULL,
    kind TEXT NOT NULL,
    allow BIGINT NOT NULL,
    deny BIGINT NOT NULL,
    PRIMARY KEY (channel, subject)
);

CREATE TABLE emoji (
    id UUID PRIMARY KEY,
    server UUID NOT NULL REFERENCES servers (id),
    name TEXT NOT NULL,
    file UUID NOT NULL,
    animated BOOLEAN NOT NULL,
    creator UUID
);
CREATE INDEX emoji_by_server ON emoji (server);

CREATE TABLE invites (
    code TEXT PRIMARY KEY,
    server UUID NOT NULL REFERENCES servers (id),
    creator UUID,
    expires_at_ms BIGINT,
    uses_left BIGINT
);
CREATE INDEX invites_by_server ON invites (server, code);

-- down
DROP TABLE invites;
DROP TABLE emoji;
DROP TABLE overwrites;
DROP TABLE channels;
DROP TABLE member_roles;
DROP TABLE members;
DROP TABLE roles;
DROP TABLE servers;
