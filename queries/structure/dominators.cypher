// summary = "What every path to a node runs through: each node's immediate dominator."
// runs = "python"
// [params.circuit]
// type = "uid"
// label = "Circuit"
// help = "The circuit."
// example = { query = "circuits", column = "uid" }
// [params.root]
// type = "string"
// default = "tokens"
// choices = ["tokens", "output"]
// help = "Paths from the tokens to the node, or from the node to the output."
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
// node = "The circuit node."
// kind = "feature, error, token, logit, metric, head or mlp."
// dominator = "The nearest other node that every such path runs through; empty where there is none."
// n_dominated = "How many nodes it dominates itself, immediately or not."
MATCH (s:CircuitNode)-[:IN_CIRCUIT]->(:Circuit {uid: $circuit})
MATCH (s)-[r:ATTRIBUTES_TO]->(t:CircuitNode)
RETURN s.uid AS source, t.uid AS target, r.weight AS weight, s.kind AS source_kind, t.kind AS target_kind
ORDER BY abs(weight) DESC, source, target
LIMIT $max_edges
