// summary = "The clusters of a clustering and their features, those that fit best first."
// filled_by = "circuitstore cluster RECIPE"
// [params.clustering]
// type = "uid"
// label = "Clustering"
// help = "The clustering."
// example = { query = "clusterings", column = "uid" }
// [params.cluster]
// type = "uid"
// default = ""
// label = "Cluster"
// help = "Only this cluster of it."
// [params.limit]
// type = "int"
// default = 1000
// min = 1
// max = 100000
// help = "Largest number of rows."
// [returns]
// cluster = "The cluster."
// name = "A label made from its members' top tokens."
// size = "Number of members."
// feature = "The feature."
// layer = "Its dictionary's layer."
// index = "Its row in the decoder."
// silhouette = "How well it fits there and nowhere else, -1 to 1."
// label = "A short description."
// top_tokens = "Tokens that its decoder row promotes most."
MATCH (f:Feature)-[r:MEMBER_OF]->(k:Cluster)-[:PART_OF]->(:Clustering {uid: $clustering})
WHERE $cluster = '' OR k.uid = $cluster
RETURN k.uid AS cluster, k.name AS name, k.size AS size, f.uid AS feature, f.layer AS layer, f.`index` AS `index`,
       r.silhouette AS silhouette, f.label AS label, f.top_tokens AS top_tokens
ORDER BY size DESC, cluster, silhouette IS NULL, silhouette DESC, feature
LIMIT $limit
