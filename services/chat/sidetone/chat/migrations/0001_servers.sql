CREATE TABLE servers (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    owner UUID NOT NULL,
    generation BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL
);
CREATE INDEX servers_by_owner ON servers (owner);

CREATE TABLE members (
    server UUID NOT NULL REFERENCES servers (id),
    member UUID NOT NULL,
    joined_at_ms BIGINT NOT NULL,
    PRIMARY KEY (server, member)
);
CREATE INDEX members_by_member ON members (member, server);

CREATE TABLE channels (
    id UUID PRIMARY KEY,
    server UUID NOT NULL REFERENCES servers (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL
);
CREATE INDEX channels_by_server ON channels (server, id);

-- The subject is a member, or the server itself for everyone in it.
CREATE TABLE overwrites (
    channel UUID NOT NULL REFERENCES channels (id),
    subject UUID NOT NULL,
    allow BIGINT NOT NULL,
    deny BIGINT NOT NULL,
    PRIMARY KEY (channel, subject)
);

CREATE TABLE invites (
    code TEXT PRIMARY KEY,
    server UUID NOT NULL REFERENCES servers (id),
    expires_at_ms BIGINT,
    uses_left BIGINT
);
CREATE INDEX invites_by_server ON invites (server);
