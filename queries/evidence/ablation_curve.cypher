// summary = "What a circuit recovers by size, beside what the model does without it and what random circuits do."
// filled_by = "circuitstore ablate RECIPE"
// [params.circuit]
// type = "uid"
// label = "Circuit"
// help = "The circuit."
// example = { query = "ablations", column = "circuit" }
// [params.baseline]
// type = "string"
// default = "mean"
// choices = ["mean", "zero", "resample", "all"]
// help = "What ablated values were set to."
// [params.errors]
// type = "string"
// default = "ablated"
// choices = ["ablated", "kept", "all"]
// help = "Whether error terms were ablated or kept."
// [returns]
// baseline = "What ablated values were set to."
// errors = "Whether error terms were ablated or kept."
// n_nodes = "Features kept."
// n_edges = "Edges kept, where the circuit was cut to edges."
// faithfulness = "What the circuit recovers of the metric: 1 is the whole model, 0 nothing."
// low = "Lower end of its 95 % confidence interval, by bootstrap over pairs."
// high = "Upper end."
// sign_agreement = "Share of pairs whose metric has the full model's sign, right or wrong."
// accuracy = "Share of pairs whose metric is above zero: the right answer wins."
// correlation = "Pearson r with the full model's metric, over pairs."
// completeness = "The same share for the model without the circuit: 0 is ideal."
// random = "Mean of it for random circuits of the same size and layers."
// random_low = "Smallest of these."
// random_high = "Largest."
// n_random = "Number of random circuits."
MATCH (a:Ablation)-[:TESTS]->(c:Circuit {uid: $circuit})
WHERE a.kind IN ['faithfulness', 'completeness', 'random', 'edges']
  AND ($baseline = 'all' OR a.baseline = $baseline) AND ($errors = 'all' OR a.errors = $errors)
WITH a.baseline AS baseline, a.errors AS errors, a.n_nodes AS n_nodes, coalesce(a.n_edges, -1) AS edges,
     max(CASE WHEN a.kind IN ['faithfulness', 'edges'] THEN a.faithfulness END) AS faithfulness,
     max(CASE WHEN a.kind IN ['faithfulness', 'edges'] THEN a.low END) AS low,
     max(CASE WHEN a.kind IN ['faithfulness', 'edges'] THEN a.high END) AS high,
     max(CASE WHEN a.kind IN ['faithfulness', 'edges'] THEN a.sign_agreement END) AS sign_agreement,
     max(CASE WHEN a.kind IN ['faithfulness', 'edges'] THEN a.accuracy END) AS accuracy,
     max(CASE WHEN a.kind IN ['faithfulness', 'edges'] THEN a.correlation END) AS correlation,
     max(CASE WHEN a.kind = 'completeness' THEN a.faithfulness END) AS completeness,
     avg(CASE WHEN a.kind = 'random' THEN a.faithfulness END) AS random,
     min(CASE WHEN a.kind = 'random' THEN a.faithfulness END) AS random_low,
     max(CASE WHEN a.kind = 'random' THEN a.faithfulness END) AS random_high,
     count(CASE WHEN a.kind = 'random' THEN a.faithfulness END) AS n_random
RETURN baseline AS baseline, errors AS errors, n_nodes AS n_nodes, CASE WHEN edges >= 0 THEN edges END AS n_edges,
       faithfulness AS faithfulness, low AS low, high AS high, sign_agreement AS sign_agreement,
       accuracy AS accuracy, correlation AS correlation, completeness AS completeness, round(random, 9) AS random,
       random_low AS random_low, random_high AS random_high, n_random AS n_random
ORDER BY baseline, errors, edges, n_nodes
