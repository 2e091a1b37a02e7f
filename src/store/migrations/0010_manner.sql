-- How a call differs from what is usual in the house: a JSON object of words; none where it does not.
ALTER TABLE calls ADD COLUMN manner TEXT;
