// summary = "The circuits that have the most features in common with one."
// filled_by = "circuitstore ingest RECIPE"
// [params.circuit]
// type = "uid"
// label = "Circuit"
// help = "The circuit."
// example = { query = "circuits", column = "uid" }
// [params.aggregation]
// type = "string"
// default = "all"
// choices = ["prompt", "task", "all"]
// help = "Among circuits of single prompts, of whole tasks, or both."
// [params.limit]
// type = "int"
// default = 20
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// circuit = "The other circuit."
// name = "Its task's or prompt's name."
// aggregation = "task or prompt."
// n_shared = "Features in both."
// n_features = "Features in the other."
// jaccard = "Features in both over features in either: 1 is the same features."
MATCH (:Circuit {uid: $circuit})<-[:OCCURS_IN]-(f:Feature)
WITH count(f) AS own
MATCH (:Circuit {uid: $circuit})<-[:OCCURS_IN]-(f:Feature)-[:OCCURS_IN]->(c:Circuit)
WHERE c.uid <> $circuit AND ($aggregation = 'all' OR c.aggregation = $aggregation)
WITH own, c, count(f) AS n_shared
WITH own, c, n_shared, COUNT { MATCH (c)<-[:OCCURS_IN]-(:Feature) } AS n_features
RETURN c.uid AS circuit, c.name AS name, c.aggregation AS aggregation, n_shared AS n_shared, n_features AS n_features,
       1.0 * n_shared / (own + n_features - n_shared) AS jaccard
ORDER BY jaccard DESC, circuit
LIMIT $limit
