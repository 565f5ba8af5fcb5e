// summary = "The strongest nodes of a circuit: by |effect|, else influence, else their edges' |weight|."
// [params.circuit]
// type = "uid"
// label = "Circuit"
// help = "The circuit."
// example = { query = "circuits", column = "uid" }
// [params.kind]
// type = "string"
// default = ""
// choices = ["", "feature", "error", "token", "logit", "metric", "head", "mlp"]
// help = "Only nodes of this kind."
// [params.limit]
// type = "int"
// default = 20
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// uid = "The circuit node."
// kind = "feature, error, token, logit, metric, head or mlp."
// layer = "Its block; -1 for tokens, the number of blocks for logits and the metric."
// index = "Feature index, head index or token id."
// position = "Position in the prompt."
// token = "The token there, or the position's name in a task."
// label = "A short description of the feature, or what the file that it was imported from calls the node."
// effect = "Predicted change of the metric when it is patched."
// observed_effect = "The same, measured by ablation."
// activation = "Activation on the clean prompt, or its mean over pairs."
// influence = "Share of the output's total incoming weight."
// probability = "Of a logit: its token's probability on the clean prompt."
// feature = "The feature that it is."
MATCH (n:CircuitNode)-[:IN_CIRCUIT]->(:Circuit {uid: $circuit})
WITH count(coalesce(n.effect, n.influence)) AS n_known
MATCH (n:CircuitNode)-[:IN_CIRCUIT]->(:Circuit {uid: $circuit})
WHERE $kind = '' OR n.kind = $kind
OPTIONAL MATCH (n)-[r:ATTRIBUTES_TO]-(:CircuitNode)
WHERE n_known = 0
WITH n, n_known, round(sum(abs(r.weight)), 9) AS weight
WITH n, coalesce(abs(n.effect), n.influence, CASE WHEN n_known = 0 THEN weight END, -1.0) AS size
ORDER BY size DESC, n.uid
LIMIT $limit
OPTIONAL MATCH (n)-[:INSTANCE_OF]->(f:Feature)
RETURN n.uid AS uid, n.kind AS kind, n.layer AS layer, n.`index` AS `index`, n.position AS position, n.token AS token,
       coalesce(f.label, n.label) AS label, n.effect AS effect, n.observed_effect AS observed_effect, n.activation AS activation,
       n.influence AS influence, n.probability AS probability, f.uid AS feature
ORDER BY size DESC, uid
