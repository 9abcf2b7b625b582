// How many people hold one persona of a family at least, each once: what the family says.
// params:  family_id STRING
// returns: people INT64
MATCH (u:User)-[h:HOLDS]->(v:PersonaVersion)
WHERE h.valid_to_ms IS NULL
MATCH (v)-[:VERSION_OF]->(p:Persona)
WHERE p.current = v.id
MATCH (p)-[:PART_OF]->(f:Family {id: $family_id})
RETURN count(DISTINCT u.id) AS people
