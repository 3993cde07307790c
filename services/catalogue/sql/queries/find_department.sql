-- The owner that a policy names.
SELECT department_id, name, district, array_to_string(fields, ',') FROM department WHERE department_id = $1
