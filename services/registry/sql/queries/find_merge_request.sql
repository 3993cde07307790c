-- Asked first: the same request again gets the person as they are now.
SELECT content_mac, kept_person_id FROM merge_request WHERE request_id = $1;
