-- Routing and sealing are one question to the registry: where an item goes is known when it is submitted, and stands in its attempt.
-- What waited for the send window is routed by that question.
DROP TABLE route;
