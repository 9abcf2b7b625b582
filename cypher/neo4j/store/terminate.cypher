// End transactions at their next safe point; a list expression or a regular expression has none.
// params:  ids LIST<STRING>
// returns: id STRING, message STRING
TERMINATE TRANSACTIONS $ids YIELD transactionId, message
RETURN transactionId AS id, message
