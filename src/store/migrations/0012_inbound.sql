-- How calls to a number of ours are held: a JSON object.
CREATE TABLE inbound (
    number TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    profile TEXT NOT NULL,
    set_ms BIGINT NOT NULL
);
