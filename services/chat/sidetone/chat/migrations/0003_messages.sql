-- up
-- The root is the channel itself, or for a thread the channel it hangs in.
-- Details are what is read with a message and never asked for by itself, as JSON.
CREATE TABLE messages (
    channel UUID NOT NULL,
    id UUID NOT NULL,
    server UUID NOT NULL,
    root UUID NOT NULL,
    author UUID NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    nonce TEXT,
    edited_at_ms BIGINT,
    reply_to UUID,
    pinned_at_ms BIGINT,
    thread UUID,
    details TEXT NOT NULL,
    PRIMARY KEY (channel, id)
);
CREATE UNIQUE INDEX messages_by_nonce ON messages (channel, author, nonce)
    WHERE nonce IS NOT NULL;
CREATE INDEX messages_by_pin ON messages (channel, pinned_at_ms) WHERE pinned_at_ms IS NOT NULL;

-- The subject is a user, a role, or the server itself for everyone.
CREATE TABLE mentions (
    channel UUID NOT NULL,
    subject UUID NOT NULL,
    message UUID NOT NULL,
    author UUID NOT NULL,
    PRIMARY KEY (channel, subject, message)
);

CREATE TABLE reactions (
    channel UUID NOT NULL,
    message UUID NOT NULL,
    emoji TEXT NOT NULL,
    member UUID NOT NULL,
    PRIMARY KEY (channel, message, emoji, member)
);

-- How many there are of each kind, so that a page of history counts nothing.
CREATE TABLE reaction_kinds (
    channel UUID NOT NULL,
    message UUID NOT NULL,
    emoji TEXT NOT NULL,
    since_ms BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (channel, message, emoji)
);

CREATE TABLE read_states (
    member UUID NOT NULL,
    channel UUID NOT NULL,
    last_read UUID NOT NULL,
    PRIMARY KEY (member, channel)
);
CREATE INDEX read_states_by_channel ON read_states (channel);

-- Messages that a search engine outside has not been told of yet.
CREATE TABLE search_queue (
    number SERIAL_KEY,
    channel UUID NOT NULL,
    message UUID NOT NULL
);

-- Files whose messages are gone, until the one who keeps them has heard of it.
CREATE TABLE file_drops (
    file UUID PRIMARY KEY
);

-- down
DROP TABLE file_drops;
DROP TABLE search_queue;
DROP TABLE read_states;
DROP TABLE reaction_kinds;
DROP TABLE reactions;
DROP TABLE mentions;
DROP TABLE messages;
