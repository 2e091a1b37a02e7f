-- Whom an order rings that names nobody: the phone of whoever an account belongs to.
CREATE TABLE phones (
    account TEXT NOT NULL PRIMARY KEY,
    number TEXT NOT NULL
);
