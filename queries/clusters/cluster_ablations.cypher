// summary = "What each task keeps when a cluster, a feature or a circuit is ablated or steered: what tasks share."
// filled_by = "circuitstore ablate RECIPE"
// [params.kind]
// type = "string"
// default = "cluster"
// choices = ["cluster", "feature", "circuit", "steering"]
// help = "What was ablated; steering shows all of them, at multiples of their value."
// [params.task]
// type = "string"
// default = ""
// help = "Only on this task's pairs, by name or uid."
// [params.ablated]
// type = "string"
// default = ""
// help = "Only this cluster, feature or circuit, by uid."
// [params.limit]
// type = "int"
// default = 1000
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// ablated = "Uid of the cluster, feature or circuit."
// name = "The cluster's label, or the feature's."
// task = "The task on whose held-out pairs was measured."
// n_nodes = "Features ablated, at every position."
// factor = "What their values were multiplied by; empty where they were set to their mean."
// metric = "The metric then, mean over pairs."
// faithfulness = "What is left of the metric's change: 1 is all of it, so that the task does without."
// low = "Lower end of its 95 % confidence interval, by bootstrap over pairs."
// high = "Upper end."
// sign_agreement = "Share of pairs whose metric has the full model's sign."
// circuit = "The task's circuit."
MATCH (a:Ablation)-[:FOR_TASK]->(t:Task)
WHERE a.kind = $kind AND a.ablated IS NOT NULL AND ($task = '' OR t.name = $task OR t.uid = $task)
  AND ($ablated = '' OR a.ablated = $ablated)
MATCH (a)-[:TESTS]->(c:Circuit)
OPTIONAL MATCH (k:Cluster {uid: a.ablated})
OPTIONAL MATCH (f:Feature {uid: a.ablated})
RETURN a.ablated AS ablated, coalesce(k.name, f.label) AS name, t.name AS task, a.n_nodes AS n_nodes,
       a.factor AS factor, a.metric AS metric, a.faithfulness AS faithfulness, a.low AS low, a.high AS high,
       a.sign_agreement AS sign_agreement, c.uid AS circuit
ORDER BY ablated, task, factor, circuit
LIMIT $limit
