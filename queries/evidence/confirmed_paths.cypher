// summary = "Paths into a node whose every edge was observed to act: what may be believed."
// filled_by = "circuitstore observe RECIPE (for circuits that a recipe computed)"
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
// [params.min_observed]
// type = "float"
// default = 0.01
// min = 0
// help = "Only paths whose every edge was observed to change the metric by at least this, in the direction that was predicted."
// [params.min_ratio]
// type = "float"
// default = 0.5
// min = 0
// help = "And to do at least this multiple of what was predicted."
// [params.limit]
// type = "int"
// default = 100
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// observed_weight = "Product of the observed effects along the path."
// hops = "Number of edges."
// observed = "Observed effect of each edge."
// weights = "The same, predicted."
// nodes = "Uids from source to target."
MATCH p = (s:CircuitNode)-[:ATTRIBUTES_TO*1..${max_hops}]->(t:CircuitNode {uid: $node})
WHERE all(r IN relationships(p) WHERE r.observed IS NOT NULL AND abs(r.observed) >= $min_observed
                                      AND r.observed * r.weight > 0.0 AND abs(r.observed) >= $min_ratio * abs(r.weight))
WITH p, [n IN nodes(p) | n.uid] AS nodes, reduce(product = 1.0, r IN relationships(p) | product * r.observed) AS product
ORDER BY abs(product) DESC, nodes
LIMIT $limit
RETURN product AS observed_weight, length(p) AS hops, [r IN relationships(p) | r.observed] AS observed,
       [r IN relationships(p) | r.weight] AS weights, nodes AS nodes
ORDER BY abs(observed_weight) DESC, nodes
