// Which Neo4j this is.
// params:
// returns: version STRING, edition STRING
CALL dbms.components() YIELD name, versions, edition
WHERE name = 'Neo4j Kernel'
RETURN versions[0] AS version, edition
