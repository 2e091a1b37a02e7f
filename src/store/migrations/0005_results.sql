-- What whoever ordered a call wants brought back (a JSON Schema), and what was (a JSON object).
ALTER TABLE calls ADD COLUMN result_schema TEXT;
ALTER TABLE calls ADD COLUMN result TEXT;
