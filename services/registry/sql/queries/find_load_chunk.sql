-- Asked first in the transaction of a chunk: who sends it again gets the answer that was given then.
SELECT content_mac, accepted, rejections FROM load_chunk WHERE load_id = $1 AND chunk = $2;
