// summary = "What was measured on circuits: faithfulness and completeness by size, beside random circuits."
// filled_by = "circuitstore ablate RECIPE"
// [params.circuit]
// type = "uid"
// default = ""
// label = "Circuit"
// help = "Only ablations of this circuit."
// [params.kind]
// type = "string"
// default = ""
// choices = ["", "faithfulness", "completeness", "random", "minimality", "edges", "pruning", "feature", "circuit", "cluster", "steering"]
// help = "Only ablations of this kind."
// [params.errors]
// type = "string"
// default = ""
// choices = ["", "kept", "ablated"]
// help = "Only with error terms kept, or ablated."
// [params.limit]
// type = "int"
// default = 1000
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// circuit = "The circuit that was measured."
// kind = "Of a circuit, or of the whole model without a feature, circuit or cluster; or steering."
// baseline = "What ablated values are set to: mean, zero or resample."
// errors = "Whether error terms were kept or ablated."
// n_nodes = "Nodes kept (faithfulness, random, edges), of the circuit (minimality), or ablated."
// metric = "The metric under the intervention, mean over pairs."
// faithfulness = "(m(C) − m(∅)) / (m(M) − m(∅))."
// low = "Lower end of its 95 % confidence interval, by bootstrap over pairs."
// high = "Upper end."
// sign_agreement = "Share of pairs whose metric has the full model's sign, right or wrong."
// accuracy = "Share of pairs whose metric is above zero: the right answer wins."
// correlation = "Pearson r with the full model's metric, over pairs."
// n_edges = "Edges kept, where the circuit was cut to edges, or pruned."
// choice = "How it was pruned, as JSON."
// split = "train or held-out."
// n_pairs = "Number of pairs measured on."
// seed = "Seed of a random circuit."
// uid = "The ablation."
MATCH (a:Ablation)-[:TESTS]->(c:Circuit)
WHERE ($circuit = '' OR c.uid = $circuit) AND ($kind = '' OR a.kind = $kind) AND ($errors = '' OR a.errors = $errors)
RETURN c.uid AS circuit, a.kind AS kind, a.baseline AS baseline, a.errors AS errors, a.n_nodes AS n_nodes,
       a.metric AS metric, a.faithfulness AS faithfulness, a.low AS low, a.high AS high,
       a.sign_agreement AS sign_agreement, a.accuracy AS accuracy, a.correlation AS correlation,
       a.n_edges AS n_edges, a.choice AS choice, a.split AS split, a.n_pairs AS n_pairs, a.seed AS seed,
       a.uid AS uid
ORDER BY circuit, kind, baseline, errors, split, n_nodes, seed, uid
LIMIT $limit
