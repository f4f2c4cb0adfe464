-- older processes may run beside this: yes

-- Tokens of applications that ask for decisions (kind access).
ALTER TABLE tokens DROP CONSTRAINT tokens_kind_check;
ALTER TABLE tokens ADD CONSTRAINT tokens_kind_check CHECK (kind IN ('scim', 'operator', 'access'));
