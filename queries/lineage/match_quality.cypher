// summary = "How well the features of neighbouring dictionaries were matched, by pair and method."
// filled_by = "circuitstore match RECIPE"
// [params.method]
// type = "string"
// default = ""
// choices = ["", "sae_match", "feature_flow", "correlation"]
// help = "Only matches by this method."
// [params.limit]
// type = "int"
// default = 100
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// source = "The earlier dictionary."
// target = "The later dictionary."
// method = "How their features were matched."
// n_matches = "Features of the source that have a match."
// mean_score = "Mean score of their best matches."
// n_active = "Best matches that the deactivation test looked at: both ends are active on some token."
// mean_deactivation = "Mean share of its activation that the successor loses where its predecessor is switched off."
// confirmed = "Share of the matches tested whose successor loses as much as the recipe asks for, and more than the control."
// control_confirmed = "The same with match and control exchanged, the control being another feature active there: what chance gives."
// explained_variance = "Share of the variance at the target's hook that is explained where each target feature is read off its best match."
// own_explained_variance = "The same by the target's own features: a ceiling."
// random_explained_variance = "The same by sources drawn at random: a floor, about 0."
// same_as_sae_match = "Share of the best matches that SAE Match gives, too."
// same_as_feature_flow = "Share of them that feature flow gives, too."
// same_as_correlation = "Share of them that correlation gives, too."
MATCH (a:Dictionary)-[m:MATCHED]->(b:Dictionary)
WHERE $method = '' OR m.method = $method
RETURN a.uid AS source, b.uid AS target, m.method AS method, m.n_matches AS n_matches, m.mean_score AS mean_score,
       m.n_active AS n_active, m.mean_deactivation AS mean_deactivation, m.confirmed AS confirmed,
       m.control_confirmed AS control_confirmed, m.explained_variance AS explained_variance,
       m.own_explained_variance AS own_explained_variance, m.random_explained_variance AS random_explained_variance,
       m.same_as_sae_match AS same_as_sae_match, m.same_as_feature_flow AS same_as_feature_flow,
       m.same_as_correlation AS same_as_correlation
ORDER BY a.layer, b.layer, source, target, method
LIMIT $limit
