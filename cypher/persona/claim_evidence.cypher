// The evidence paths of one claim, node by node.
// params:  claim_id STRING
// returns: path INT64, position INT64, label STRING, node_id STRING
MATCH (c:Claim {id: $claim_id})-[e:CITES]->(n)
RETURN e.path AS path, e.position AS position, labels(n)[0] AS label, n.id AS node_id
ORDER BY path, position
