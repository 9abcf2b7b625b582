// What claims cite in the graph, step by step, to compare with the lake.
// params:
// returns: claim_id STRING, path INT64, position INT64, label STRING, node_id STRING
MATCH (c:Claim)-[e:CITES]->(n)
RETURN c.id AS claim_id, e.path AS path, e.position AS position,
       head(labels(n)) AS label, n.id AS node_id
ORDER BY claim_id, path, position, label, node_id
