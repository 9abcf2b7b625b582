// Write a batch of edges: which category a category is in.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:Category {id: row.start})
MATCH (b:Category {id: row.end})
MERGE (a)-[e:IN]->(b)
SET e.run_id = row.run_id
