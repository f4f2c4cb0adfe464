-- older processes may run beside this: yes

-- Who wrote a mapping version, who brought it, what it changes, who decided on what grounds (JSON), and how far its roll-out has got (JSON;
-- set while some people are decided about by it already). A process of the version before decides by the active one: begin no roll-out beside it.
ALTER TABLE mapping_versions ADD COLUMN author TEXT;
ALTER TABLE mapping_versions ADD COLUMN proposed_by TEXT;
ALTER TABLE mapping_versions ADD COLUMN changes TEXT;
ALTER TABLE mapping_versions ADD COLUMN decision TEXT;
ALTER TABLE mapping_versions ADD COLUMN rollout TEXT;

-- A token that may change nothing: give none out while a process of the version before runs, which would not know.
ALTER TABLE tokens ADD COLUMN read_only INTEGER NOT NULL DEFAULT 0;
