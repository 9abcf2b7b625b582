// How often each persona version is or was held, and the sums of what is said of that, to compare
// with the lake.
// params:
// returns: id STRING, holdings INT64, ended INT64, weight FLOAT, low FLOAT, high FLOAT, intents INT64
MATCH (:User)-[h:HOLDS]->(v:PersonaVersion)
RETURN v.id AS id, count(h) AS holdings, count(h.valid_to_ms) AS ended, sum(h.weight) AS weight,
       sum(h.low) AS low, sum(h.high) AS high, sum(h.intents) AS intents
ORDER BY id
