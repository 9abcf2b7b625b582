// Delete the edges of some types that another run wrote.
// params:  types LIST<STRING>, run_id STRING
// returns:
MATCH ()-[e]->()
WHERE type(e) IN $types AND e.run_id <> $run_id
CALL (e) {
  DELETE e
} IN TRANSACTIONS OF 5000 ROWS
