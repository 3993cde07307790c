-- Which of these submissions a district has, before anything is told about one of them.
SELECT request_id FROM submission WHERE request_id = ANY ($2::text[]) AND district = $1::integer
