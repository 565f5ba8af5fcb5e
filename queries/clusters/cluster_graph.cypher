// summary = "What the clusters of a clustering do to each other: edges between their features, summed up."
// filled_by = "circuitstore cluster RECIPE"
// [params.clustering]
// type = "uid"
// label = "Clustering"
// help = "The clustering."
// example = { query = "clusterings", column = "uid" }
// [params.within]
// type = "bool"
// default = true
// help = "Whether edges inside a cluster are told too, as edges from it to itself."
// [params.min_circuits]
// type = "int"
// default = 1
// min = 1
// help = "Only edges between features that occur in at least so many circuits."
// [params.limit]
// type = "int"
// default = 1000
// min = 1
// max = 100000
// help = "Largest number of rows."
// [returns]
// source = "The cluster that acts."
// target = "The cluster that it acts on."
// source_name = "Label of the source."
// target_name = "Label of the target."
// n_edges = "Pairs of features of the two with an edge."
// weight = "Sum of their weights, mean over all circuits."
// abs_weight = "The same of the absolute weights."
MATCH (c:Circuit)
WITH count(c) AS total
MATCH (s:Feature)-[:MEMBER_OF]->(a:Cluster)-[:PART_OF]->(:Clustering {uid: $clustering})
MATCH (s)-[r:FEEDS]->(t:Feature)
WHERE r.n_circuits >= $min_circuits
// Sums of whole numbers, in units of 2^-32, are the same in any order. First by target: far fewer rows are joined.
WITH total, a, t, count(r.weight_sum) AS n, sum(1.0 * r.weight_sum) AS weight, sum(1.0 * r.abs_weight_sum) AS abs_weight
MATCH (t)-[:MEMBER_OF]->(b:Cluster)-[:PART_OF]->(:Clustering {uid: $clustering})
WHERE $within OR a.uid <> b.uid
WITH total, a.uid AS source, b.uid AS target, a.name AS source_name, b.name AS target_name, sum(n) AS n_edges,
     sum(weight) AS weight_sum, sum(abs_weight) AS abs_weight_sum
RETURN source AS source, target AS target, source_name AS source_name, target_name AS target_name,
       n_edges AS n_edges, weight_sum / 4294967296.0 / total AS weight,
       abs_weight_sum / 4294967296.0 / total AS abs_weight
ORDER BY abs_weight DESC, source, target
LIMIT $limit
