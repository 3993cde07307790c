-- The first start sets the date; every later one finds it.
INSERT INTO business_date (today) VALUES ($1) ON CONFLICT (only_row) DO NOTHING
