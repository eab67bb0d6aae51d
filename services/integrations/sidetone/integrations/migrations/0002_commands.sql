-- up
-- Options are JSON.
CREATE TABLE commands (
    id UUID PRIMARY KEY,
    bot UUID NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    options TEXT NOT NULL
);
CREATE UNIQUE INDEX commands_by_name ON commands (bot, name);

-- down
DROP TABLE commands;
