// The version of one persona that is in force now.
// params:  persona_id STRING
// returns: version_id STRING, number INT64, name STRING?
MATCH (p:Persona {id: $persona_id})-[:CURRENT]->(v:PersonaVersion)
RETURN v.id AS version_id, v.number AS number, v.name AS name
