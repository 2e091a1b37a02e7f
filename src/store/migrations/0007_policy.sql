-- Whom an account's calls must not ring, and who has consented to be rung.
CREATE TABLE do_not_call (
    account TEXT NOT NULL,
    number TEXT NOT NULL,
    reason TEXT NOT NULL,
    added_ms BIGINT NOT NULL,
    PRIMARY KEY (account, number)
);

CREATE TABLE consents (
    account TEXT NOT NULL,
    number TEXT NOT NULL,
    source TEXT NOT NULL,
    given_ms BIGINT NOT NULL,
    PRIMARY KEY (account, number)
);

-- How often a number was rung of late.
CREATE INDEX calls_by_remote ON calls (remote, queued_ms);
