// Does the database answer queries?
// params:
// returns: answer INT64
RETURN 1 AS answer
