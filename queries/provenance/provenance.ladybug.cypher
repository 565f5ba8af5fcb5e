MATCH (c:Circuit {uid: $circuit})
OPTIONAL MATCH (c)-[:USES]->(d:Dictionary)
WITH c, CASE WHEN d.sha256 IS NULL THEN d.uid ELSE concat(d.uid, ' ', d.sha256) END AS dictionary
WITH c, list_sort(collect(dictionary)) AS dictionaries
OPTIONAL MATCH (c)-[:OF_MODEL]->(m:Model)
OPTIONAL MATCH (c)-[:FOR_TASK]->(t:Task)
OPTIONAL MATCH (c)-[:FOR_PROMPT]->(p:Prompt)
OPTIONAL MATCH (c)-[:PRODUCED_BY]->(r:Run)
RETURN c.uid AS circuit, c.method AS method, c.thresholds AS thresholds, m.name AS model, m.revision AS revision,
       dictionaries AS dictionaries, t.name AS task, t.sha256 AS task_sha256, p.text AS prompt, r.uid AS run,
       r.command AS command, r.params AS params, r.seed AS seed, r.versions AS versions,
       r.git_revision AS git_revision, r.device AS device, r.started_at AS started_at, r.seconds AS seconds
ORDER BY model, task, prompt, run
