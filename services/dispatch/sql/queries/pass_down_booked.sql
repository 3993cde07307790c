-- Its line has the money: nobody need look at it again.
UPDATE pass_down SET booked = true WHERE district = $1::integer AND pass_down_id = $2::bigint AND NOT booked
