// summary = "What a circuit is made of: its nodes by layer and kind."
// [params.circuit]
// type = "uid"
// label = "Circuit"
// help = "The circuit."
// example = { query = "circuits", column = "uid" }
// [returns]
// layer = "The block; -1 for tokens, the number of blocks for logits and the metric."
// kind = "feature, error, token, logit, metric, head or mlp."
// n_nodes = "Number of nodes."
// n_observed = "How many of them were confirmed or refuted by an ablation."
// max_abs_effect = "Largest absolute predicted effect."
// mean_abs_effect = "Mean absolute predicted effect."
MATCH (n:CircuitNode)-[:IN_CIRCUIT]->(:Circuit {uid: $circuit})
RETURN n.layer AS layer, n.kind AS kind, count(*) AS n_nodes, count(n.observed_effect) AS n_observed,
       max(abs(n.effect)) AS max_abs_effect, round(avg(abs(n.effect)), 9) AS mean_abs_effect
ORDER BY layer, kind
