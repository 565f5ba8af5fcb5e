// summary = "Where a circuit came from: model, dictionaries, task or prompt, and the run that made it."
// [params.circuit]
// type = "uid"
// label = "Circuit"
// help = "The circuit."
// example = { query = "circuits", column = "uid" }
// [returns]
// circuit = "The circuit."
// method = "How nodes and edges were attributed."
// thresholds = "How it was pruned, as JSON."
// model = "Name of its model."
// revision = "Hash of the model's weights, or the hub's revision."
// dictionaries = "Uid and weights' hash of each of its dictionaries, sorted."
// task = "Name of its task."
// task_sha256 = "Hash of the task's pairs."
// prompt = "Its prompt's text."
// run = "The run that made it."
// command = "The run's command."
// params = "The run's parameters, as JSON."
// seed = "The run's random seed."
// versions = "Versions of what it ran on, as JSON."
// git_revision = "Revision of the program."
// device = "cpu, or the accelerator's name."
// started_at = "When, ISO 8601, UTC."
// seconds = "How long the run took."
MATCH (c:Circuit {uid: $circuit})
WITH c, COLLECT {
  MATCH (c)-[:USES]->(d:Dictionary)
  RETURN d.uid + CASE WHEN d.sha256 IS NULL THEN '' ELSE ' ' + d.sha256 END ORDER BY d.uid
} AS dictionaries
OPTIONAL MATCH (c)-[:OF_MODEL]->(m:Model)
OPTIONAL MATCH (c)-[:FOR_TASK]->(t:Task)
OPTIONAL MATCH (c)-[:FOR_PROMPT]->(p:Prompt)
OPTIONAL MATCH (c)-[:PRODUCED_BY]->(r:Run)
RETURN c.uid AS circuit, c.method AS method, c.thresholds AS thresholds, m.name AS model, m.revision AS revision,
       dictionaries AS dictionaries, t.name AS task, t.sha256 AS task_sha256, p.text AS prompt, r.uid AS run,
       r.command AS command, r.params AS params, r.seed AS seed, r.versions AS versions,
       r.git_revision AS git_revision, r.device AS device, r.started_at AS started_at, r.seconds AS seconds
ORDER BY model, task, prompt, run
