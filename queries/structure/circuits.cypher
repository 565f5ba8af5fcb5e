// summary = "The circuits that are stored."
// filled_by = "circuitstore ingest RECIPE"
// [params.task]
// type = "string"
// default = ""
// help = "Only circuits of this task, by name or uid."
// [params.model]
// type = "string"
// default = ""
// help = "Only circuits of this model, by name or uid."
// [params.name]
// type = "string"
// default = ""
// help = "Only circuits whose name, uid or prompt contains this, in any case."
// [params.aggregation]
// type = "string"
// default = ""
// choices = ["", "task", "prompt"]
// help = "Only circuits of a whole task, or of one prompt."
// [params.sort]
// type = "string"
// default = "faithfulness"
// choices = ["name", "n_nodes", "n_edges", "faithfulness", "created_at"]
// help = "What to sort by."
// [params.order]
// type = "string"
// default = "desc"
// choices = ["asc", "desc"]
// help = "Smallest or largest first."
// [params.limit]
// type = "int"
// default = 100
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// uid = "The circuit."
// aggregation = "task: mean over its pairs; prompt: one pair."
// n_nodes = "Number of circuit nodes."
// n_edges = "Number of edges."
// faithfulness = "Of the whole circuit, on held-out pairs, errors ablated."
// name = "Its task's or prompt's name."
// task = "Name of its task."
// model = "Name of its model."
// prompt = "Its prompt's text."
// method = "How nodes and edges were attributed."
// created_at = "When, ISO 8601, UTC."
MATCH (c:Circuit)
WHERE $aggregation = '' OR c.aggregation = $aggregation
OPTIONAL MATCH (c)-[:FOR_TASK]->(t:Task)
OPTIONAL MATCH (c)-[:FOR_PROMPT]->(p:Prompt)
OPTIONAL MATCH (c)-[:OF_MODEL]->(m:Model)
WITH c, t, p, m
WHERE ($task = '' OR t.name = $task OR t.uid = $task)
  AND ($model = '' OR m.name = $model OR m.uid = $model)
  AND ($name = '' OR lower(c.name) CONTAINS lower($name) OR lower(c.uid) CONTAINS lower($name)
       OR lower(p.text) CONTAINS lower($name))
RETURN c.uid AS uid, c.aggregation AS aggregation, c.n_nodes AS n_nodes, c.n_edges AS n_edges,
       c.faithfulness AS faithfulness, c.name AS name, t.name AS task, m.name AS model, p.text AS prompt,
       c.method AS method, c.created_at AS created_at
ORDER BY ${sort} IS NULL, ${sort} ${order}, uid
LIMIT $limit
