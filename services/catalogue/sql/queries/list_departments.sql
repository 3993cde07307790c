-- A page by key: no offset, so that a page costs the same wherever it lies.
SELECT department_id, name, district, array_to_string(fields, ',') FROM department
WHERE department_id > $1 ORDER BY department_id LIMIT $2
