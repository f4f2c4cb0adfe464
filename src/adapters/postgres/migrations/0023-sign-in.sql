-- older processes may run beside this: yes

-- What an operator's token may do, below everything. A process of the version before takes such a token for one that may do all: give none
-- out while one runs.
ALTER TABLE tokens ADD COLUMN duty TEXT COLLATE "C" CHECK (duty IN ('operator', 'approver'));
-- link: changed once for a session, and good for nothing else · session: a person in a browser.
ALTER TABLE tokens ADD COLUMN purpose TEXT COLLATE "C" CHECK (purpose IN ('link', 'session'));
