BEGIN TRANSACTION;
CREATE TABLE attempts (
        run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        stage TEXT NOT NULL,
        number INTEGER NOT NULL,
        position INTEGER NOT NULL,
        outcome TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (run_id, stage, number)
    ) STRICT, WITHOUT ROWID;
INSERT INTO "attempts" VALUES('aaaaaaaaaaaa','follow_up',1,2,'completed','{"stage":"follow_up","number":1,"batch_size":null,"args":["x"],"outcome":"completed","reason":"completed","detail":null,"pid":13,"boot_id":"boot","started_boottime":null,"started_at":1700000301.0,"ended_at":1700000400.0,"exit_code":0,"signal":null,"script_digest":null,"baseline":null,"peak":null,"peak_utilization":null,"cpu_s":null,"log_offset":0,"out_of_memory":false,"verdict":null,"intent":null}');
INSERT INTO "attempts" VALUES('aaaaaaaaaaaa','training',1,0,'superseded','{"stage":"training","number":1,"batch_size":64,"args":["done"],"outcome":"superseded","reason":"underused_memory","detail":null,"pid":11,"boot_id":"boot","started_boottime":5.0,"started_at":1700000001.0,"ended_at":1700000070.0,"exit_code":null,"signal":15,"script_digest":"d1","baseline":1000,"peak":1073741824,"peak_utilization":0.9,"cpu_s":null,"log_offset":120,"out_of_memory":false,"verdict":{"kind":"underused","why":"0.2 of the device is used","at":1700000060.0,"reported":1073741824,"measured":1073741824,"total":4294967296,"fraction":0.25,"attribution":null,"agreement":null,"decided_by":null,"contradiction":false,"next_batch_size":null},"intent":{"reason":"underused_memory","grace_s":10.0,"batch_size":128,"args":null,"edited":["d1","d2"],"relaunch":false}}');
INSERT INTO "attempts" VALUES('aaaaaaaaaaaa','training',2,1,'completed','{"stage":"training","number":2,"batch_size":128,"args":["done"],"outcome":"completed","reason":"completed","detail":null,"pid":12,"boot_id":"boot","started_boottime":75.0,"started_at":1700000072.0,"ended_at":1700000300.0,"exit_code":0,"signal":null,"script_digest":null,"baseline":null,"peak":null,"peak_utilization":null,"cpu_s":null,"log_offset":0,"out_of_memory":false,"verdict":null,"intent":null}');
INSERT INTO "attempts" VALUES('bbbbbbbbbbbb','training',1,0,'running','{"stage":"training","number":1,"batch_size":64,"args":["going"],"outcome":"running","reason":null,"detail":null,"pid":null,"boot_id":null,"started_boottime":null,"started_at":null,"ended_at":null,"exit_code":null,"signal":null,"script_digest":null,"baseline":null,"peak":null,"peak_utilization":null,"cpu_s":null,"log_offset":0,"out_of_memory":false,"verdict":null,"intent":null}');
CREATE TABLE events (
        run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        at REAL NOT NULL,
        type TEXT NOT NULL,
        attempt INTEGER,
        data TEXT NOT NULL,
        PRIMARY KEY (run_id, number)
    ) STRICT, WITHOUT ROWID;
INSERT INTO "events" VALUES('aaaaaaaaaaaa',1,1700000001.0,'run_queued',NULL,'{"n": 1}');
INSERT INTO "events" VALUES('aaaaaaaaaaaa',2,1700000002.0,'run_starting',1,'{"n": 2}');
INSERT INTO "events" VALUES('aaaaaaaaaaaa',3,1700000003.0,'attempt_started',1,'{"n": 3}');
INSERT INTO "events" VALUES('aaaaaaaaaaaa',4,1700000004.0,'checkpoint',1,'{"n": 4}');
INSERT INTO "events" VALUES('aaaaaaaaaaaa',5,1700000005.0,'attempt_ended',1,'{"n": 5}');
INSERT INTO "events" VALUES('aaaaaaaaaaaa',6,1700000006.0,'run_ended',1,'{"n": 6}');
INSERT INTO "events" VALUES('bbbbbbbbbbbb',1,1700000001.0,'run_queued',NULL,'{"n": 1}');
INSERT INTO "events" VALUES('bbbbbbbbbbbb',2,1700000002.0,'run_starting',1,'{"n": 2}');
INSERT INTO "events" VALUES('bbbbbbbbbbbb',3,1700000003.0,'attempt_starting',1,'{"n": 3}');
INSERT INTO "events" VALUES('cccccccccccc',1,1700000001.0,'run_queued',NULL,'{"n": 1}');
CREATE TABLE idempotency_keys (
        key TEXT PRIMARY KEY,
        digest TEXT NOT NULL,
        run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        created_at REAL NOT NULL,
        answer TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
INSERT INTO "idempotency_keys" VALUES('key','digest','aaaaaaaaaaaa',1700000000.0,'{"id": "aaaaaaaaaaaa"}');
CREATE TABLE runs (
        id TEXT PRIMARY KEY,
        name TEXT,
        state TEXT NOT NULL,
        created_at REAL NOT NULL,
        body TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
INSERT INTO "runs" VALUES('aaaaaaaaaaaa','kaggle','succeeded',1700000000.0,'{"id":"aaaaaaaaaaaa","spec":{"script":"/released/train.py","cwd":"/released","python":"/released/python","args":["done"],"env":{"A":"ü"},"name":"kaggle","device":null,"checkpoint":{"after_s":60.0,"min_fraction":0.5,"max_fraction":0.9,"tolerance":0.0625,"retry_s":15.0,"max_wait_s":300.0,"window_s":10.0,"settle_s":5.0},"sizing":{"policy":"double","max_relaunches":4,"max_batch_size":null,"max_fraction":0.9,"target_fraction":0.75},"grace_s":10.0,"follow_up":{"script":"/released/predict.py","args":["x"]},"kind":null,"review":"warn","budget_s":null,"reserve_s":0.0,"artifacts":[]},"created_at":1700000000.0,"state":"succeeded","phase":null,"reason":"completed","detail":null,"device_id":"host","attempt":2,"batch_size":128,"started_at":1700000001.0,"ended_at":1700000400.0,"exit_code":0,"stop_requested":false,"observed":{"reported":null,"measured":null,"device_total":4294967296,"utilization":0.5,"progress":null,"eta_s":1.5},"verdict":{"kind":"underused","why":"0.2 of the device is used","at":1700000060.0,"reported":1073741824,"measured":1073741824,"total":4294967296,"fraction":0.25,"attribution":null,"agreement":null,"decided_by":null,"contradiction":false,"next_batch_size":null},"deadline":{"boottime":1000.0,"boot_id":"boot","wall":1700003600.0}}');
INSERT INTO "runs" VALUES('bbbbbbbbbbbb',NULL,'starting',1700000500.0,'{"id":"bbbbbbbbbbbb","spec":{"script":"/released/train.py","cwd":"/released","python":"/released/python","args":["going"],"env":{},"name":null,"device":null,"checkpoint":{"after_s":60.0,"min_fraction":0.5,"max_fraction":0.9,"tolerance":0.0625,"retry_s":15.0,"max_wait_s":300.0,"window_s":10.0,"settle_s":5.0},"sizing":{"policy":"double","max_relaunches":4,"max_batch_size":null,"max_fraction":0.9,"target_fraction":0.75},"grace_s":10.0,"follow_up":null,"kind":null,"review":"warn","budget_s":null,"reserve_s":0.0,"artifacts":[]},"created_at":1700000500.0,"state":"starting","phase":null,"reason":null,"detail":null,"device_id":"host","attempt":1,"batch_size":64,"started_at":null,"ended_at":null,"exit_code":null,"stop_requested":false,"observed":{"reported":null,"measured":null,"device_total":null,"utilization":null,"progress":null,"eta_s":null},"verdict":null,"deadline":null}');
INSERT INTO "runs" VALUES('cccccccccccc','later','queued',1700000600.0,'{"id":"cccccccccccc","spec":{"script":"/released/train.py","cwd":"/released","python":"/released/python","args":["waiting"],"env":{},"name":"later","device":null,"checkpoint":{"after_s":60.0,"min_fraction":0.5,"max_fraction":0.9,"tolerance":0.0625,"retry_s":15.0,"max_wait_s":300.0,"window_s":10.0,"settle_s":5.0},"sizing":{"policy":"double","max_relaunches":4,"max_batch_size":null,"max_fraction":0.9,"target_fraction":0.75},"grace_s":10.0,"follow_up":null,"kind":null,"review":"warn","budget_s":null,"reserve_s":0.0,"artifacts":[]},"created_at":1700000600.0,"state":"queued","phase":null,"reason":null,"detail":null,"device_id":null,"attempt":0,"batch_size":null,"started_at":null,"ended_at":null,"exit_code":null,"stop_requested":false,"observed":{"reported":null,"measured":null,"device_total":null,"utilization":null,"progress":null,"eta_s":null},"verdict":null,"deadline":null}');
CREATE TABLE samples (
        run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        at REAL NOT NULL,
        attempt INTEGER NOT NULL,
        used INTEGER,
        others INTEGER,
        total INTEGER,
        utilization REAL,
        PRIMARY KEY (run_id, at)
    ) STRICT, WITHOUT ROWID;
INSERT INTO "samples" VALUES('aaaaaaaaaaaa',1700000010.0,1,1073741824,5,4294967296,0.5);
INSERT INTO "samples" VALUES('aaaaaaaaaaaa',1700000011.0,1,NULL,NULL,NULL,NULL);
CREATE INDEX runs_by_age ON runs (created_at DESC, id DESC);
CREATE INDEX runs_by_name ON runs (name, created_at DESC) WHERE name IS NOT NULL;
CREATE INDEX runs_by_state ON runs (state, created_at DESC, id DESC);
CREATE INDEX idempotency_keys_by_run ON idempotency_keys (run_id);
COMMIT;
PRAGMA user_version = 2;
