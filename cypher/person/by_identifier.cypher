// The user that an identifier names; personal values are asked for by their hash.
// params:  identifier STRING
// returns: user_id STRING, probability FLOAT, reason STRING
MATCH (n:Identifier {id: $identifier})-[e:IDENTIFIES]->(u:User)
RETURN u.id AS user_id, e.probability AS probability, e.reason AS reason
ORDER BY probability DESC, user_id
