// summary = "The nodes of a circuit with the most edges, and what they weigh."
// [params.circuit]
// type = "uid"
// label = "Circuit"
// help = "The circuit."
// example = { query = "circuits", column = "uid" }
// [params.limit]
// type = "int"
// default = 20
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// uid = "The circuit node."
// kind = "feature, error, token, logit, metric, head or mlp."
// layer = "Its block; -1 for tokens, the number of blocks for logits and the metric."
// token = "The token at its position, or the position's name in a task."
// n_edges = "Number of edges, in and out."
// n_in = "Edges that enter it."
// n_out = "Edges that leave it."
// weight_in = "Sum of the |weights| of those that enter it."
// weight_out = "Sum of those that leave it."
MATCH (n:CircuitNode)-[:IN_CIRCUIT]->(:Circuit {uid: $circuit})
OPTIONAL MATCH (n)-[o:ATTRIBUTES_TO]->(:CircuitNode)
WITH n, count(o.weight) AS n_out, coalesce(sum(abs(o.weight)), 0.0) AS weight_out
OPTIONAL MATCH (:CircuitNode)-[i:ATTRIBUTES_TO]->(n)
WITH n, n_out, weight_out, count(i.weight) AS n_in, coalesce(sum(abs(i.weight)), 0.0) AS weight_in
RETURN n.uid AS uid, n.kind AS kind, n.layer AS layer, n.token AS token, n_in + n_out AS n_edges, n_in AS n_in,
       n_out AS n_out, round(weight_in, 9) AS weight_in, round(weight_out, 9) AS weight_out
ORDER BY n_edges DESC, uid
LIMIT $limit
