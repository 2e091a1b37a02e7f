-- The operation that a call has somebody accept or decline, as JSON: it had stood in the place of
-- the schema of a result, which has a type.
ALTER TABLE calls ADD COLUMN approval TEXT;
UPDATE calls SET approval = json_extract(result_schema, '$.approval'), result_schema = NULL
WHERE result_schema IS NOT NULL AND json_type(result_schema, '$.approval') = 'object'
AND json_extract(result_schema, '$.type') IS NULL;
