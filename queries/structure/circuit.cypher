// summary = "One circuit: how it was found, how large and how faithful it is."
// [params.circuit]
// type = "uid"
// label = "Circuit"
// help = "The circuit."
// example = { query = "circuits", column = "uid" }
// [returns]
// uid = "The circuit."
// name = "Its task's or prompt's name."
// aggregation = "task: mean over its pairs; prompt: one pair."
// task = "Name of its task."
// prompt = "Its prompt's text."
// tokens = "Its prompt's tokens."
// model = "Name of its model."
// method = "How nodes and edges were attributed."
// thresholds = "How it was pruned, as JSON."
// n_nodes = "Number of circuit nodes."
// n_edges = "Number of edges."
// clean_prompt = "The clean prompt; of a task that of its first pair."
// patch_prompt = "The patch prompt of the same pair."
// clean_answer = "What the clean prompt is to be continued with."
// patch_answer = "What the patch prompt is to be continued with."
// clean_metric = "Metric on the clean prompts."
// patch_metric = "Metric on the patch prompts."
// faithfulness = "Of the whole circuit, on held-out pairs, errors ablated."
// created_at = "When, ISO 8601, UTC."
MATCH (c:Circuit {uid: $circuit})
OPTIONAL MATCH (c)-[:FOR_TASK]->(t:Task)
OPTIONAL MATCH (c)-[:FOR_PROMPT]->(p:Prompt)
OPTIONAL MATCH (c)-[:OF_MODEL]->(m:Model)
RETURN c.uid AS uid, c.name AS name, c.aggregation AS aggregation, t.name AS task, p.text AS prompt,
       p.tokens AS tokens, m.name AS model, c.method AS method, c.thresholds AS thresholds, c.n_nodes AS n_nodes,
       c.n_edges AS n_edges, c.clean_prompt AS clean_prompt, c.patch_prompt AS patch_prompt,
       c.clean_answer AS clean_answer, c.patch_answer AS patch_answer, c.clean_metric AS clean_metric,
       c.patch_metric AS patch_metric, c.faithfulness AS faithfulness, c.created_at AS created_at
ORDER BY task, prompt, model
