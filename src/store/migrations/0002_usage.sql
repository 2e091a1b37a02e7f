-- What the model has used in the call: a JSON object of tokens by figure, where it was told.
ALTER TABLE calls ADD COLUMN usage TEXT;
