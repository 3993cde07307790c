-- The one row.
SELECT today FROM business_date
