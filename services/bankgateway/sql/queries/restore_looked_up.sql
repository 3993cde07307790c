-- From here on it may be packed, without what is withheld.
UPDATE submission SET looked_up_on = $2, withheld = $3, withheld_fen = $4 WHERE submission_id = $1
