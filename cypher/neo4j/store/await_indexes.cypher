// Wait until every index can be used.
// params:  seconds INT64
// returns:
CALL db.awaitIndexes($seconds)
