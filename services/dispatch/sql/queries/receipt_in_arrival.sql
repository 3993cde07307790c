-- Whether a receipt was recorded as money given back; that counts by its confirmation alone.
SELECT EXISTS (SELECT FROM arrival WHERE district = $1::integer AND receipt = $2::text AND state <> 3)
