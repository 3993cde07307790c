-- Who took part already: nobody acts twice on one batch in roles that must differ.
SELECT person FROM review WHERE district = $1::integer AND batch_id = $2::bigint
