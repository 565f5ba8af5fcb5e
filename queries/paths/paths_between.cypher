// summary = "Paths from one node to another, strongest first."
// runs = "python"
// [params.source]
// type = "uid"
// label = "CircuitNode"
// help = "Where the paths start."
// example = { query = "top_edges", column = "source" }
// [params.target]
// type = "uid"
// label = "CircuitNode"
// help = "Where the paths end."
// example = { query = "top_edges", column = "target" }
// [params.max_hops]
// type = "hops"
// default = 7
// min = 1
// max = 12
// help = "Largest number of edges in a path."
// [params.min_weight]
// type = "float"
// default = 0.01
// min = 0
// help = "Only paths whose every edge weighs at least this, in either sign; paths multiply as it falls."
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
MATCH p = (s:CircuitNode {uid: $source})-[:ATTRIBUTES_TO*1..${max_hops}]->(t:CircuitNode {uid: $target})
WHERE all(r IN relationships(p) WHERE abs(r.weight) >= $min_weight)
WITH p, [n IN nodes(p) | n.uid] AS nodes, reduce(product = 1.0, r IN relationships(p) | product * r.weight) AS weight
ORDER BY abs(weight) DESC, nodes
LIMIT $limit
RETURN weight AS weight, length(p) AS hops, [n IN nodes(p) | n.kind] AS kinds, [n IN nodes(p) | n.layer] AS layers,
       [n IN nodes(p) | n.`index`] AS indexes, [n IN nodes(p) | n.position] AS positions,
       [n IN nodes(p) | n.token] AS tokens, [r IN relationships(p) | r.weight] AS weights,
       [r IN relationships(p) | r.input] AS inputs, [r IN relationships(p) | r.observed] AS observed, nodes AS nodes
ORDER BY abs(weight) DESC, nodes
