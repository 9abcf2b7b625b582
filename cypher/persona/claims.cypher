// What one version of a persona states.
// params:  version_id STRING
// returns: claim_id STRING, kind STRING, subject STRING, subject_label STRING, direction STRING,
//          measure STRING, unit STRING, value FLOAT, reference_value FLOAT?, low FLOAT,
//          high FLOAT, q FLOAT?, people INT64, as_of_ms INT64, query STRING, params STRING,
//          counts STRING, descriptive BOOLEAN
MATCH (v:PersonaVersion {id: $version_id})-[:STATES]->(c:Claim)
RETURN c.id AS claim_id, c.kind AS kind, c.subject AS subject,
       c.subject_label AS subject_label, c.direction AS direction, c.measure AS measure,
       c.unit AS unit, c.value AS value, c.reference_value AS reference_value, c.low AS low,
       c.high AS high, c.q AS q, c.people AS people, c.as_of_ms AS as_of_ms, c.query AS query,
       c.params AS params, c.counts AS counts, c.descriptive AS descriptive
ORDER BY claim_id
