// The intents of a persona's subgraph: those that support the version, and their sessions.
// params:  version_id STRING
// returns: intent_id STRING, session_id STRING, verb STRING, topic STRING, probability FLOAT
MATCH (s:Session)-[:EXPRESSED]->(i:Intent)-[e:SUPPORTS]->(:PersonaVersion {id: $version_id})
RETURN i.id AS intent_id, s.id AS session_id, i.verb AS verb, i.topic AS topic,
       e.probability AS probability
ORDER BY intent_id
