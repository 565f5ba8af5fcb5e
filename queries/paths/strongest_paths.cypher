// summary = "The strongest paths of a circuit, however long: from the tokens to the output, or between two nodes."
// runs = "python"
// [params.circuit]
// type = "uid"
// label = "Circuit"
// help = "The circuit."
// example = { query = "circuits", column = "uid" }
// [params.source]
// type = "uid"
// default = ""
// label = "CircuitNode"
// help = "Where the paths start; the tokens if left out."
// [params.target]
// type = "uid"
// default = ""
// label = "CircuitNode"
// help = "Where the paths end; the metric, or else the logits, if left out."
// [params.confirmed]
// type = "bool"
// default = false
// help = "Only along edges that are confirmed: observed to do at least half of what was predicted."
// [params.max_edges]
// type = "int"
// default = 1000
// min = 1
// max = 10000
// help = "How many edges are looked at: those of the circuit that weigh most, in either sign."
// [params.limit]
// type = "int"
// default = 20
// min = 1
// max = 1000
// help = "Largest number of rows."
// [returns]
// weight = "Product of the predicted weights along the path."
// hops = "Number of edges."
// labels = "Kind, layer:index (.q, .k or .v: the head's input) and @token (or @position) of each node, source to target."
// weights = "Predicted weight of each edge."
// observed = "The same, measured by cutting the edge alone."
// nodes = "Uids from source to target."
MATCH (s:CircuitNode)-[:IN_CIRCUIT]->(:Circuit {uid: $circuit})
MATCH (s)-[r:ATTRIBUTES_TO]->(t:CircuitNode)
RETURN s.uid AS source, t.uid AS target, r.weight AS weight, r.observed AS observed, r.input AS input,
       s.kind AS source_kind, s.layer AS source_layer, s.`index` AS source_index, s.position AS source_position,
       s.token AS source_token, t.kind AS target_kind, t.layer AS target_layer, t.`index` AS target_index,
       t.position AS target_position, t.token AS target_token
ORDER BY abs(weight) DESC, source, target, input
LIMIT $max_edges
