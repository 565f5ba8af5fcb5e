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
// dictionary = "One of its dictionaries: a row each."
// hook = "The hook that the dictionary stands at."
// dictionary_source = "The release and id that the dictionary came from."
// dictionary_sha256 = "Hash of the dictionary's weights."
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
OPTIONAL MATCH (c)-[:OF_MODEL]->(m:Model)
OPTIONAL MATCH (c)-[:USES]->(d:Dictionary)
OPTIONAL MATCH (c)-[:FOR_TASK]->(t:Task)
OPTIONAL MATCH (c)-[:FOR_PROMPT]->(p:Prompt)
OPTIONAL MATCH (c)-[:PRODUCED_BY]->(r:Run)
RETURN c.uid AS circuit, c.method AS method, c.thresholds AS thresholds, m.name AS model, m.revision AS revision,
       d.uid AS dictionary, d.hook AS hook, d.source AS dictionary_source, d.sha256 AS dictionary_sha256,
       t.name AS task, t.sha256 AS task_sha256, p.text AS prompt, r.uid AS run, r.command AS command,
       r.params AS params, r.seed AS seed, r.versions AS versions, r.git_revision AS git_revision,
       r.device AS device, r.started_at AS started_at, r.seconds AS seconds
ORDER BY d.layer, dictionary, task, prompt, run
