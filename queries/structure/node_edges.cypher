// summary = "What a node acts on, and what acts on it: the strongest edges in each direction."
// runs = "python"
// [params.node]
// type = "uid"
// label = "CircuitNode"
// help = "The circuit node."
// example = { query = "top_nodes", column = "uid" }
// [params.limit]
// type = "int"
// default = 50
// min = 1
// max = 10000
// help = "Largest number of rows in each direction."
// [returns]
// direction = "output: the other node is acted on; input: it acts."
// node = "The other node."
// kind = "feature, error, token, logit, metric, head or mlp."
// layer = "Its block; -1 for tokens, the number of blocks for logits and the metric."
// index = "Feature index, head index or token id."
// position = "Position in the prompt."
// token = "The token there, or the position's name in a task."
// weight = "Predicted effect on the metric, or the output, through the target."
// observed = "The same, measured by cutting this edge alone."
// input = "Input of an attention head that the edge enters: q, k or v."
// n_edges = "Number of edges in this direction, of which these are the strongest."
MATCH (n:CircuitNode {uid: $node})-[e:ATTRIBUTES_TO]->(:CircuitNode)
WITH n, count(e.weight) AS n_edges
MATCH (n)-[e:ATTRIBUTES_TO]->(o:CircuitNode)
RETURN 'output' AS direction, o.uid AS node, o.kind AS kind, o.layer AS layer, o.`index` AS `index`,
       o.position AS position, o.token AS token, e.weight AS weight, e.observed AS observed, e.input AS input,
       n_edges AS n_edges
ORDER BY abs(weight) DESC, node, input
LIMIT $limit
UNION ALL
MATCH (n:CircuitNode {uid: $node})<-[e:ATTRIBUTES_TO]-(:CircuitNode)
WITH n, count(e.weight) AS n_edges
MATCH (n)<-[e:ATTRIBUTES_TO]-(o:CircuitNode)
RETURN 'input' AS direction, o.uid AS node, o.kind AS kind, o.layer AS layer, o.`index` AS `index`,
       o.position AS position, o.token AS token, e.weight AS weight, e.observed AS observed, e.input AS input,
       n_edges AS n_edges
ORDER BY abs(weight) DESC, node, input
LIMIT $limit
