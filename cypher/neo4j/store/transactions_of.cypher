// The transactions that a killed read left behind, found by the mark it gave them.
// params:  mark STRING
// returns: id STRING
SHOW TRANSACTIONS YIELD transactionId, metaData
WHERE metaData.personagraph = $mark
RETURN transactionId AS id
