-- up
CREATE TABLE bans (
    server UUID NOT NULL REFERENCES servers (id),
    member UUID NOT NULL,
    actor UUID NOT NULL,
    reason TEXT NOT NULL,
    banned_at_ms BIGINT NOT NULL,
    PRIMARY KEY (server, member)
);

-- Each hash covers its entry and the hash before; the head stands in servers.
CREATE TABLE audit_log (
    server UUID NOT NULL REFERENCES servers (id),
    number BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    actor UUID NOT NULL,
    action TEXT NOT NULL,
    target UUID,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    reason TEXT NOT NULL,
    request TEXT NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (server, number)
);

CREATE TABLE reports (
    id UUID PRIMARY KEY,
    server UUID NOT NULL REFERENCES servers (id),
    reporter UUID NOT NULL,
    target UUID NOT NULL,
    channel UUID,
    message UUID,
    text TEXT NOT NULL,
    reported_at_ms BIGINT NOT NULL,
    resolved_by UUID,
    resolution TEXT NOT NULL
);
CREATE INDEX reports_by_server ON reports (server, id);
CREATE INDEX reports_by_reporter ON reports (reporter, server);

CREATE TABLE templates (
    code TEXT PRIMARY KEY,
    creator UUID NOT NULL,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL
);
CREATE INDEX templates_by_creator ON templates (creator, code);

-- The one conversation of two users, who stand here in the order of their ids.
CREATE TABLE direct_pairs (
    one UUID NOT NULL,
    other UUID NOT NULL,
    server UUID NOT NULL REFERENCES servers (id),
    PRIMARY KEY (one, other)
);

-- down
DROP TABLE direct_pairs;
DROP TABLE templates;
DROP TABLE reports;
DROP TABLE audit_log;
DROP TABLE bans;
