-- Whether a line may be missing.
SELECT debit, reported, matched FROM book_day WHERE agreement_no = $1 AND day = $2
