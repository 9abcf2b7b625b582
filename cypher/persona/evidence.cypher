// The evidence paths of the claims of one version of a persona, node by node.
// params:  version_id STRING
// returns: claim_id STRING, path INT64, position INT64, label STRING, node_id STRING
MATCH (v:PersonaVersion {id: $version_id})-[:STATES]->(c:Claim)-[e:CITES]->(n)
RETURN c.id AS claim_id, e.path AS path, e.position AS position, labels(n)[0] AS label,
       n.id AS node_id
ORDER BY claim_id, path, position
