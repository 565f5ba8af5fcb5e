// summary = "Paths that end in a node, strongest first: what lies upstream of it."
// runs = "python"
// [params.node]
// type = "uid"
// label = "CircuitNode"
// help = "Where the paths end."
// example = { query = "top_edges", column = "target" }
// [params.max_hops]
// type = "hops"
// default = 4
// min = 1
// max = 12
// help = "Largest number of edges in a path."
// [params.min_weight]
// type = "float"
// default = 0.01
// min = 0
// help = "Only paths whose every edge weighs at least this, in either sign; paths multiply as it falls."
// [params.start_kind]
// type = "string"
// default = ""
// choices = ["", "feature", "error", "token", "logit", "metric", "head", "mlp"]
// help = "Only paths that start at a node of this kind."
// [params.limit]
// type = "int"
// default = 100
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// weight = "Product of the predicted weights along the path."
// hops = "Number of edges."
// labels = "Kind, layer:index (.q, .k or .v: the head's input) and @token (or @position) of each node, source to target."
// weights = "Predicted weight of each edge."
// observed = "The same, measured by cutting the edge alone."
// nodes = "Uids from source to target."
MATCH p = (s:CircuitNode)-[:ATTRIBUTES_TO*1..${max_hops}]->(t:CircuitNode {uid: $node})
WHERE all(r IN relationships(p) WHERE abs(r.weight) >= $min_weight) AND ($start_kind = '' OR s.kind = $start_kind)
WITH p, [n IN nodes(p) | n.uid] AS nodes, reduce(product = 1.0, r IN relationships(p) | product * r.weight) AS weight
ORDER BY abs(weight) DESC, nodes
LIMIT $limit
RETURN weight AS weight, length(p) AS hops, [n IN nodes(p) | n.kind] AS kinds, [n IN nodes(p) | n.layer] AS layers,
       [n IN nodes(p) | n.`index`] AS indexes, [n IN nodes(p) | n.position] AS positions,
       [n IN nodes(p) | n.token] AS tokens, [r IN relationships(p) | r.weight] AS weights,
       [r IN relationships(p) | r.input] AS inputs, [r IN relationships(p) | r.observed] AS observed, nodes AS nodes
ORDER BY abs(weight) DESC, nodes
