// summary = "The edges among the nodes of a circuit with the largest effect: with top_nodes, a picture of it."
// [params.circuit]
// type = "uid"
// label = "Circuit"
// help = "The circuit."
// example = { query = "circuits", column = "uid" }
// [params.top_nodes]
// type = "int"
// default = 100
// min = 1
// max = 10000
// help = "How many nodes are kept: those that the query top_nodes begins with."
// [params.min_weight]
// type = "float"
// default = 0.0
// min = 0
// help = "Only edges that weigh at least this, in either sign."
// [params.limit]
// type = "int"
// default = 1000
// min = 1
// max = 100000
// help = "Largest number of rows."
// [returns]
// source = "The circuit node that acts."
// target = "The circuit node that it acts on."
// weight = "Predicted effect on the metric through the target."
// observed = "The same, measured by cutting this edge alone."
// ambiguous = "Whether the source file left its endpoints open."
// input = "Which input of an attention head the edge enters: q, k or v."
// in_circuit = "Whether the circuit has the edge, where its source also lists what it leaves out."
MATCH (n:CircuitNode)-[:IN_CIRCUIT]->(:Circuit {uid: $circuit})
WITH count(coalesce(n.effect, n.influence)) AS n_known
MATCH (n:CircuitNode)-[:IN_CIRCUIT]->(:Circuit {uid: $circuit})
OPTIONAL MATCH (n)-[r:ATTRIBUTES_TO]-(:CircuitNode)
WHERE n_known = 0
WITH n, n_known, round(sum(abs(r.weight)), 9) AS weight
WITH n, coalesce(abs(n.effect), n.influence, CASE WHEN n_known = 0 THEN weight END, -1.0) AS size
ORDER BY size DESC, n.uid
LIMIT $top_nodes
UNWIND [n.uid] AS uid
WITH collect(uid) AS kept
MATCH (s:CircuitNode)-[:IN_CIRCUIT]->(:Circuit {uid: $circuit})
WHERE s.uid IN kept
MATCH (s)-[r:ATTRIBUTES_TO]->(t:CircuitNode)
WHERE abs(r.weight) >= $min_weight AND t.uid IN kept
RETURN s.uid AS source, t.uid AS target, r.weight AS weight, r.observed AS observed, r.ambiguous AS ambiguous,
       r.input AS input, r.in_circuit AS in_circuit
ORDER BY abs(weight) DESC, source, target, input
LIMIT $limit
