-- A batch was closed, or something happened to one that is: a package is to be made. One that is being made begins again, in
-- another run; whoever is at it finds its row changed.
INSERT INTO archive_work AS w (district, batch_id) VALUES ($1::integer, $2::bigint)
ON CONFLICT (district, batch_id) DO UPDATE
SET run = w.run + 1, package_no = 0, step = 0, after_id = 0, after_text = '', page = 0, taken = 0, why = '', not_before = now(),
    last_paid_on = NULL
