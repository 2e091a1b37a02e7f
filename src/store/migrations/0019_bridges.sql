-- Whose line a run holds for a browser: it ends with the run, though their call may be over before.
-- A carrier knows of nobody else on it.
CREATE TABLE bridges (
    call TEXT NOT NULL PRIMARY KEY,
    carrier_call TEXT NOT NULL,
    node TEXT NOT NULL REFERENCES nodes (node),
    epoch BIGINT NOT NULL
);
