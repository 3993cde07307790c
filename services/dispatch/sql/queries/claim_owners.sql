-- Who has the claims that a chunk wanted; asked only when it did not get them all. no district: claims cross districts.
SELECT claim_key, owner FROM claim WHERE claim_key = ANY ($1::uuid[])
