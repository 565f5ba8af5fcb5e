// summary = "Feed-forward loops: a node acts on another directly, and through a third."
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
// default = 50
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// source = "The circuit node that acts."
// middle = "The node that it also acts through."
// target = "The node acted on."
// weakest = "Least |weight| of the three edges."
// direct = "Weight of the direct edge."
// through = "Product of the weights of the other two."
// coherent = "Whether both ways have the same sign."
MATCH (s:CircuitNode)-[:IN_CIRCUIT]->(:Circuit {uid: $circuit})
MATCH (s)-[r:ATTRIBUTES_TO]->(t:CircuitNode)
RETURN s.uid AS source, t.uid AS target, r.weight AS weight, s.kind AS source_kind, t.kind AS target_kind
ORDER BY abs(weight) DESC, source, target
LIMIT $max_edges
