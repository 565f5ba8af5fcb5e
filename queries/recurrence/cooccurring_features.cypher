// summary = "The features that stand in the same circuits as one, most often first."
// [params.feature]
// type = "uid"
// label = "Feature"
// help = "The feature."
// example = { query = "top_nodes", column = "feature" }
// [params.aggregation]
// type = "string"
// default = "prompt"
// choices = ["prompt", "task", "all"]
// help = "Count circuits of single prompts, of whole tasks (means over the same prompts), or both."
// [params.limit]
// type = "int"
// default = 50
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// feature = "The other feature."
// layer = "Its dictionary's layer."
// label = "A short description."
// n_together = "Circuits that both stand in."
// share = "Share of the one's circuits that the other stands in."
// n_circuits = "Circuits that the other stands in."
// jaccard = "Circuits of both over circuits of either: 1 is always together."
MATCH (:Feature {uid: $feature})-[:OCCURS_IN]->(c:Circuit)
WHERE $aggregation = 'all' OR c.aggregation = $aggregation
WITH count(c) AS own
MATCH (:Feature {uid: $feature})-[:OCCURS_IN]->(c:Circuit)<-[:OCCURS_IN]-(f:Feature)
WHERE f.uid <> $feature AND ($aggregation = 'all' OR c.aggregation = $aggregation)
WITH own, f, count(c) AS n_together
ORDER BY n_together DESC, f.uid
LIMIT $limit
MATCH (f)-[:OCCURS_IN]->(d:Circuit)
WHERE $aggregation = 'all' OR d.aggregation = $aggregation
UNWIND [d.uid] AS circuit
WITH own, f, n_together, count(circuit) AS n_circuits
RETURN f.uid AS feature, f.layer AS layer, f.label AS label, n_together AS n_together,
       1.0 * n_together / own AS share, n_circuits AS n_circuits,
       1.0 * n_together / (own + n_circuits - n_together) AS jaccard
ORDER BY n_together DESC, feature
