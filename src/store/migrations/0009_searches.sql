-- The call that a call goes on from.
ALTER TABLE calls ADD COLUMN follows TEXT;

-- One question put to several, of whom one may be chosen.
-- state: running, finished, stopped, chosen. bring: a JSON Schema. again: outcomes, by comma, after
-- which a target is rung once more. chosen, chosen_call: whose offer was taken, by which call.
CREATE TABLE searches (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    question TEXT NOT NULL,
    facts TEXT,
    bring TEXT,
    at_once BIGINT NOT NULL,
    enough BIGINT,
    again TEXT NOT NULL,
    state TEXT NOT NULL,
    token TEXT NOT NULL,
    chosen BIGINT,
    chosen_call TEXT,
    made_ms BIGINT NOT NULL,
    ended_ms BIGINT
);
CREATE INDEX searches_of_account ON searches (account, made_ms DESC, id DESC);
CREATE INDEX searches_running ON searches (id) WHERE state = 'running';

-- call: the last one that asked this target, written with that call. It is no reference: a target
-- whose call was deleted has been rung all the same.
CREATE TABLE search_targets (
    search TEXT NOT NULL REFERENCES searches (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    remote TEXT NOT NULL,
    name TEXT,
    attempts BIGINT NOT NULL,
    call TEXT,
    refused TEXT,
    PRIMARY KEY (search, number)
);
CREATE INDEX search_targets_by_call ON search_targets (call);
