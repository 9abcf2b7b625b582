// The items of a persona's subgraph, and the intents that are about them.
// params:  version_id STRING
// returns: item_id STRING, title STRING?, intent_id STRING, count INT64
MATCH (x:Item)<-[e:ABOUT]-(i:Intent)-[:SUPPORTS]->(:PersonaVersion {id: $version_id})
RETURN x.id AS item_id, x.title AS title, i.id AS intent_id, e.count AS count
ORDER BY item_id, intent_id
