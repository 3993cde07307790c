-- The history of one case, the newest last; a case with more than a page of it shows the newest.
SELECT event_no, at, on_day, what, from_state, to_state, actor, decision, amount_fen, note
FROM (SELECT * FROM case_event WHERE case_id = $1 ORDER BY event_no DESC LIMIT 1000) newest
ORDER BY event_no
