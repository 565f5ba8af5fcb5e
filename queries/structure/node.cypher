// summary = "One circuit node: what it is, what it does, and the feature that it is."
// [params.node]
// type = "uid"
// label = "CircuitNode"
// help = "The circuit node."
// example = { query = "top_nodes", column = "uid" }
// [returns]
// uid = "The circuit node."
// circuit = "Its circuit."
// kind = "feature, error, token, logit, metric, head or mlp."
// layer = "Its block; -1 for tokens, the number of blocks for logits and the metric."
// index = "Feature index, head index or token id."
// position = "Position in the prompt."
// token = "The token there, or the position's name in a task."
// effect = "Predicted change of the metric when it is patched."
// observed_effect = "The same, measured by ablation."
// activation = "Activation on the clean prompt, or its mean over pairs."
// influence = "Share of the output's total incoming weight."
// probability = "Of a logit: its token's probability on the clean prompt."
// feature = "The feature that it is."
// label = "A short description of the feature, or what the file that it was imported from calls the node."
// top_tokens = "Tokens that the feature's decoder row promotes most."
// bottom_tokens = "Tokens that the feature's decoder row suppresses most."
MATCH (n:CircuitNode {uid: $node})-[:IN_CIRCUIT]->(c:Circuit)
OPTIONAL MATCH (n)-[:INSTANCE_OF]->(f:Feature)
RETURN n.uid AS uid, c.uid AS circuit, n.kind AS kind, n.layer AS layer, n.`index` AS `index`,
       n.position AS position, n.token AS token, n.effect AS effect, n.observed_effect AS observed_effect,
       n.activation AS activation, n.influence AS influence, n.probability AS probability, f.uid AS feature,
       coalesce(f.label, n.label) AS label, f.top_tokens AS top_tokens, f.bottom_tokens AS bottom_tokens
ORDER BY feature
