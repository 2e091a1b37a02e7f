-- The record of every call. Text and BIGINT only, so that the same tables stand on Postgres.
-- All times are milliseconds since 1970, UTC. Owner and epoch of a call fence its writers.

CREATE TABLE nodes (
    node TEXT NOT NULL PRIMARY KEY,
    epoch BIGINT NOT NULL,
    started_ms BIGINT NOT NULL,
    beat_ms BIGINT NOT NULL
);

CREATE TABLE calls (
    id TEXT NOT NULL PRIMARY KEY,
    direction TEXT NOT NULL,
    remote TEXT NOT NULL,
    local TEXT NOT NULL,
    task TEXT NOT NULL,
    lifecycle TEXT NOT NULL,
    outcome TEXT,
    reason TEXT,
    carrier_call TEXT,
    node TEXT NOT NULL REFERENCES nodes (node),
    epoch BIGINT NOT NULL,
    queued_ms BIGINT NOT NULL,
    dialing_ms BIGINT,
    answered_ms BIGINT,
    finalized_ms BIGINT,
    talk_ms BIGINT
);
CREATE INDEX calls_newest ON calls (queued_ms DESC, id DESC);
CREATE INDEX calls_unfinished ON calls (node) WHERE lifecycle <> 'finalized';
CREATE INDEX calls_by_carrier ON calls (carrier_call);

CREATE TABLE events (
    call TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    sequence BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (call, sequence)
);

CREATE TABLE turns (
    call TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    sequence BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    speaker TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (call, sequence)
);

-- state: asked (the model wants it), begun (it may have happened), done (verdict and output hold).
-- resolved: the row a destructive job was read back as; it can touch no other.
CREATE TABLE tool_ledger (
    call TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    tool_call TEXT NOT NULL,
    name TEXT NOT NULL,
    arguments TEXT NOT NULL,
    arguments_hash TEXT NOT NULL,
    state TEXT NOT NULL,
    verdict TEXT,
    output TEXT,
    resolved TEXT,
    asked_ms BIGINT NOT NULL,
    begun_ms BIGINT,
    done_ms BIGINT,
    PRIMARY KEY (call, tool_call)
);

CREATE TABLE confirmations (
    call TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    sequence BIGINT NOT NULL,
    name TEXT NOT NULL,
    question TEXT NOT NULL,
    asked_ms BIGINT NOT NULL,
    verdict TEXT,
    settled_ms BIGINT,
    PRIMARY KEY (call, sequence)
);

CREATE TABLE settings (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    set_ms BIGINT NOT NULL
);

CREATE TABLE tasks (
    id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    title TEXT NOT NULL,
    due_date TEXT,
    priority TEXT NOT NULL,
    status TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    completed_ms BIGINT
);
CREATE INDEX tasks_by_owner ON tasks (owner);

-- What "number two" means in a call: the order in which tasks were last read out.
CREATE TABLE task_numbers (
    call TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    task TEXT NOT NULL,
    PRIMARY KEY (call, number)
);
