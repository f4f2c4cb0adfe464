-- older processes may run beside this: yes

-- Where in a trace the reasons of a mark were given (W3C traceparent, the oldest first, at most eight, a space between two), what asked for
-- a fan-out, and what wished a target's present generation. For spans alone: nothing is decided by them.
ALTER TABLE recompute ADD COLUMN traces TEXT COLLATE "C";
ALTER TABLE fanouts ADD COLUMN trace TEXT COLLATE "C";
ALTER TABLE targets ADD COLUMN trace TEXT COLLATE "C";
