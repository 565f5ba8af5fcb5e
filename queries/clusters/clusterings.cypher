// summary = "The clusterings that are stored, side by side: how good, how stable, how large their clusters are."
// filled_by = "circuitstore cluster RECIPE"
// [params.model]
// type = "string"
// default = ""
// help = "Only clusterings of this model's features, by name or uid."
// [params.basis]
// type = "string"
// default = ""
// choices = ["", "decoder", "activations", "attributions", "attribution-graph", "coactivation-graph"]
// help = "Only clusterings on this basis."
// [params.method]
// type = "string"
// default = ""
// help = "Only clusterings by this algorithm, as k-means."
// [params.sort]
// type = "string"
// default = "stability"
// choices = ["stability", "modularity", "silhouette", "n_clusters"]
// help = "What to sort by, largest first."
// [params.limit]
// type = "int"
// default = 100
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// basis = "What of the features was clustered."
// method = "Its algorithm."
// n_clusters = "Number of clusters."
// stability = "Mean adjusted Rand index under resampling: 1 for the same clusters, 0 for chance."
// modularity = "Modularity on the attribution graph, whatever the basis."
// silhouette = "Mean silhouette of its members; to be compared on one basis only."
// sizes = "Sizes of its clusters, largest first."
// n_features = "Number of features in its clusters."
// left_out = "Number of features in none."
// uid = "The clustering."
// params = "Its parameters, as JSON."
// model = "Name of the model."
MATCH (c:Clustering)
WHERE ($basis = '' OR c.basis = $basis) AND ($method = '' OR c.method = $method)
OPTIONAL MATCH (c)<-[:PART_OF]-(:Cluster)<-[:MEMBER_OF]-(:Feature)-[:IN_DICTIONARY]->(:Dictionary)-[:OF_MODEL]->(m:Model)
WITH DISTINCT c, m
WHERE $model = '' OR m.name = $model OR m.uid = $model
RETURN c.basis AS basis, c.method AS method, c.n_clusters AS n_clusters, c.stability AS stability,
       c.modularity AS modularity, c.silhouette AS silhouette, c.sizes AS sizes, c.n_features AS n_features,
       c.left_out AS left_out, c.uid AS uid, c.params AS params, m.name AS model
ORDER BY ${sort} IS NULL, ${sort} DESC, uid
LIMIT $limit
