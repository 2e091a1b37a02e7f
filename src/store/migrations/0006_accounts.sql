-- To whom a call belongs.
ALTER TABLE calls ADD COLUMN account TEXT NOT NULL DEFAULT 'house';
CREATE INDEX calls_of_account ON calls (account, queued_ms DESC, id DESC);

-- Keys of the API: of each only its SHA-256 is kept. scope: all, read.
CREATE TABLE keys (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    scope TEXT NOT NULL,
    label TEXT NOT NULL,
    made_ms BIGINT NOT NULL,
    revoked_ms BIGINT
);

-- What an order with an Idempotency-Key has made, so that the same order makes nothing again.
CREATE TABLE orders (
    account TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    made TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (account, key)
);
CREATE INDEX orders_by_digest ON orders (account, digest);
CREATE INDEX orders_by_age ON orders (at_ms);
