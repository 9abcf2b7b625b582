// Delete, with their edges, the nodes of some labels that another run wrote.
// params:  labels LIST<STRING>, run_id STRING
// returns:
MATCH (n)
WHERE labels(n)[0] IN $labels AND n.run_id <> $run_id
CALL (n) {
  DETACH DELETE n
} IN TRANSACTIONS OF 5000 ROWS
