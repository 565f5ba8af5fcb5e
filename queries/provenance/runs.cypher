// summary = "The runs that made what is stored, latest first."
// filled_by = "circuitstore ingest RECIPE"
// [params.command]
// type = "string"
// default = ""
// help = "Only runs of this command, such as ingest or ablations."
// [params.limit]
// type = "int"
// default = 50
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// run = "The run."
// command = "The command."
// started_at = "When, ISO 8601, UTC."
// seconds = "How long."
// memory = "Peak resident memory, in bytes."
// device = "cpu, or the accelerator's name."
// seed = "The random seed."
// git_revision = "Revision of the program."
// circuits = "Circuits that it made."
// clusterings = "Clusterings that it made."
// ablations = "Measurements that it made."
// params = "Its parameters, as JSON; dictionaries.folder, or release and ids, is where its dictionaries came from."
// tracking_id = "The tracker's id of it."
MATCH (r:Run)
WHERE $command = '' OR r.command = $command
RETURN r.uid AS run, r.command AS command, r.started_at AS started_at, r.seconds AS seconds, r.memory AS memory,
       r.device AS device, r.seed AS seed, r.git_revision AS git_revision,
       COUNT { MATCH (r)<-[:PRODUCED_BY]-(:Circuit) } AS circuits,
       COUNT { MATCH (r)<-[:PRODUCED_BY]-(:Clustering) } AS clusterings,
       COUNT { MATCH (r)<-[:PRODUCED_BY]-(:Ablation) } AS ablations, r.params AS params, r.tracking_id AS tracking_id
ORDER BY coalesce(started_at, '') DESC, run
LIMIT $limit
