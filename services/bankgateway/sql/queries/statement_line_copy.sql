-- Bulk: the lines of one part of a statement.
COPY statement_line (district, reference, statement_id, line, debit, amount_fen) FROM STDIN (FORMAT binary)
