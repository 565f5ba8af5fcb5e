// summary = "The edges of the least total |weight| without which no token reaches the output."
// runs = "python"
// [params.circuit]
// type = "uid"
// label = "Circuit"
// help = "The circuit."
// example = { query = "circuits", column = "uid" }
// [params.max_edges]
// type = "int"
// default = 1000
// min = 1
// max = 10000
// help = "How many edges are looked at: those of the circuit that weigh most, in either sign."
// [params.limit]
// type = "int"
// default = 1000
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// source = "The circuit node that acts."
// target = "The circuit node that it acts on."
// weight = "Predicted effect on the metric through the target."
// observed = "The same, measured by cutting this edge alone."
MATCH (s:CircuitNode)-[:IN_CIRCUIT]->(:Circuit {uid: $circuit})
MATCH (s)-[r:ATTRIBUTES_TO]->(t:CircuitNode)
RETURN s.uid AS source, t.uid AS target, r.weight AS weight, r.observed AS observed,
       s.kind AS source_kind, t.kind AS target_kind
ORDER BY abs(weight) DESC, source, target
LIMIT $max_edges
