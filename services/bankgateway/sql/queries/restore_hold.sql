-- Held while its rows are found: nobody else looks it up, and nobody packs it.
SELECT district, agreement_no, request_id FROM submission
WHERE submission_id = $1 AND file_id IS NULL AND looked_up_on IS NULL FOR UPDATE
