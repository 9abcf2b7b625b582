// Project an undirected weighted graph from our own integer ids into the memory of GDS; the rows
// come sorted, because the order of projection changes the result. A null end is a lone node.
// params:  graph STRING, rows LIST<LIST<FLOAT>>
// returns: nodes INT64, edges INT64
UNWIND $rows AS row
WITH gds.graph.project(
  $graph, row[0], row[1], {relationshipProperties: {weight: row[2]}},
  {undirectedRelationshipTypes: ['*'], readConcurrency: 1}
) AS g
RETURN g.nodeCount AS nodes, g.relationshipCount AS edges
