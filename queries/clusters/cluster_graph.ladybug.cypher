MATCH (c:Circuit)
WITH count(c) AS total
MATCH (s:Feature)-[:MEMBER_OF]->(a:Cluster)-[:PART_OF]->(:Clustering {uid: $clustering})
MATCH (s)-[r:FEEDS]->(t:Feature)
WHERE r.n_circuits >= $min_circuits
// Sums of whole numbers, in units of 2^-32, are the same in any order. First by target: far fewer rows are joined.
WITH total, a, t, count(r.weight_sum) AS n, sum(1.0 * r.weight_sum) AS weight, sum(1.0 * r.abs_weight_sum) AS abs_weight
MATCH (t)-[:MEMBER_OF]->(b:Cluster)-[:PART_OF]->(:Clustering {uid: $clustering})
WHERE $within OR a.uid <> b.uid
WITH total, a.uid AS source, b.uid AS target, a.name AS source_name, b.name AS target_name, cast(sum(n), 'INT64') AS n_edges,
     sum(weight) AS weight_sum, sum(abs_weight) AS abs_weight_sum
RETURN source AS source, target AS target, source_name AS source_name, target_name AS target_name,
       n_edges AS n_edges, weight_sum / 4294967296.0 / total AS weight,
       abs_weight_sum / 4294967296.0 / total AS abs_weight
ORDER BY abs_weight DESC, source, target
LIMIT $limit
