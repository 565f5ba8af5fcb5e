// summary = "The groups that a circuit's nodes were put in where it was made: supernodes, and pinned nodes."
// filled_by = "circuitstore import FILE (where the file holds some)"
// [params.circuit]
// type = "uid"
// label = "Circuit"
// help = "The circuit."
// example = { query = "circuits", column = "uid" }
// [params.limit]
// type = "int"
// default = 1000
// min = 1
// max = 100000
// help = "Largest number of rows."
// [returns]
// method = "What groups they are: supernodes or pinned."
// name = "The group's name."
// size = "Number of its nodes."
// node = "The circuit node."
// kind = "feature, error, token, logit, metric, head or mlp."
// layer = "Its block; -1 for tokens, the number of blocks for logits and the metric."
// token = "The token at its position, or the position's name in a task."
// label = "What the file that it was imported from calls it."
// ambiguous = "Whether the file left open which node is meant."
// cluster = "The group."
MATCH (n:CircuitNode)-[:IN_CIRCUIT]->(:Circuit {uid: $circuit})
MATCH (n)-[r:MEMBER_OF]->(k:Cluster)-[:PART_OF]->(c:Clustering)
RETURN c.method AS method, k.name AS name, k.size AS size, n.uid AS node, n.kind AS kind, n.layer AS layer,
       n.token AS token, n.label AS label, r.ambiguous AS ambiguous, k.uid AS cluster
ORDER BY method, cluster, layer, node
LIMIT $limit
