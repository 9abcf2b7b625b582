// Is there nothing in this database?
// params:
// returns: empty BOOLEAN
OPTIONAL MATCH (n)
WITH n LIMIT 1
RETURN n IS NULL AS empty
