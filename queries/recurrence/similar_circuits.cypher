// summary = "The circuits that have the most features in common with one."
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
MATCH (f:Feature)<-[:INSTANCE_OF]-(:CircuitNode)-[:IN_CIRCUIT]->(:Circuit {uid: $circuit})
WITH count(DISTINCT f.uid) AS own
MATCH (:Circuit {uid: $circuit})<-[:IN_CIRCUIT]-(:CircuitNode)-[:INSTANCE_OF]->(f:Feature)
WITH DISTINCT own, f
MATCH (f)<-[:INSTANCE_OF]-(:CircuitNode)-[:IN_CIRCUIT]->(c:Circuit)
WHERE c.uid <> $circuit AND ($aggregation = 'all' OR c.aggregation = $aggregation)
WITH own, c, count(DISTINCT f.uid) AS n_shared
MATCH (c)<-[:IN_CIRCUIT]-(:CircuitNode)-[:INSTANCE_OF]->(g:Feature)
WITH own, c.uid AS circuit, c.name AS name, c.aggregation AS aggregation, n_shared, count(DISTINCT g.uid) AS n_features
RETURN circuit AS circuit, name AS name, aggregation AS aggregation, n_shared AS n_shared, n_features AS n_features,
       1.0 * n_shared / (own + n_features - n_shared) AS jaccard
ORDER BY jaccard DESC, circuit
LIMIT $limit
