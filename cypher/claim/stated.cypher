// The claims as the graph states them, with the version that states each, to compare with the lake.
// params:
// returns: claim_id STRING, version STRING?, kind STRING, subject STRING, direction STRING,
//          value FLOAT, reference_value FLOAT?, low FLOAT, high FLOAT, q FLOAT?, people INT64,
//          params STRING, counts STRING
MATCH (c:Claim)
OPTIONAL MATCH (v:PersonaVersion)-[:STATES]->(c)
RETURN c.id AS claim_id, v.id AS version, c.kind AS kind, c.subject AS subject,
       c.direction AS direction, c.value AS value, c.reference_value AS reference_value,
       c.low AS low, c.high AS high, c.q AS q, c.people AS people,
       c.params AS params, c.counts AS counts
ORDER BY claim_id
