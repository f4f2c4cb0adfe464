-- older processes may run beside this: yes

-- due_at: the next instant at which the keeper of cases has something to look at; NULL: never by itself. A process that does not know the
-- column leaves 0: looked at once, and from then on when due. wake: rises with every change that the keeper has to see.
ALTER TABLE leaver_cases ADD COLUMN due_at INTEGER DEFAULT 0;
ALTER TABLE leaver_cases ADD COLUMN wake INTEGER NOT NULL DEFAULT 0;
CREATE INDEX leaver_cases_due ON leaver_cases (due_at) WHERE due_at IS NOT NULL;
DROP INDEX obligations_alarm;
