// summary = "The clusters that a feature is in, one a clustering, the most stable first."
// filled_by = "circuitstore cluster RECIPE"
// [params.feature]
// type = "uid"
// label = "Feature"
// help = "The feature."
// example = { query = "cluster_members", column = "feature" }
// [params.limit]
// type = "int"
// default = 100
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// clustering = "The clustering."
// basis = "What of the features was clustered."
// method = "Its algorithm."
// n_clusters = "Number of its clusters."
// stability = "Mean adjusted Rand index under resampling."
// cluster = "The cluster that the feature is in."
// name = "The cluster's label, made from its members' top tokens."
// size = "Number of its members."
// silhouette = "How well the feature fits there and nowhere else, -1 to 1."
MATCH (:Feature {uid: $feature})-[r:MEMBER_OF]->(k:Cluster)-[:PART_OF]->(c:Clustering)
RETURN c.uid AS clustering, c.basis AS basis, c.method AS method, c.n_clusters AS n_clusters,
       c.stability AS stability, k.uid AS cluster, k.name AS name, k.size AS size, r.silhouette AS silhouette
ORDER BY stability IS NULL, stability DESC, clustering, cluster
LIMIT $limit
