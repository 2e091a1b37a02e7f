-- Under which names a carrier may tell of the recording that it makes of a call, also when the
-- call is long over.
CREATE TABLE recording_names (
    name TEXT NOT NULL PRIMARY KEY,
    call TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE
);
CREATE INDEX recording_names_by_call ON recording_names (call);

-- Files that a carrier has told of and that are not here yet.
CREATE TABLE recording_files (
    call TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    piece BIGINT NOT NULL,
    location TEXT NOT NULL,
    told_ms BIGINT NOT NULL,
    PRIMARY KEY (call, piece)
);
