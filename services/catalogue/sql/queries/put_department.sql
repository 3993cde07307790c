-- Counts only rows that are new or changed, so that a second load says that nothing happened.
INSERT INTO department (department_id, name, district, fields) VALUES ($1, $2, $3, string_to_array($4, ','))
ON CONFLICT (department_id) DO UPDATE SET name = excluded.name, district = excluded.district, fields = excluded.fields
WHERE (department.name, department.district, department.fields)
  IS DISTINCT FROM (excluded.name, excluded.district, excluded.fields)
