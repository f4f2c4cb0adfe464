-- older processes may run beside this: yes

-- Where the store belongs, as its first process named it, and why nothing is written to a vendor until a person releases it.
ALTER TABLE stamp ADD COLUMN home TEXT COLLATE "C";
ALTER TABLE stamp ADD COLUMN brake TEXT COLLATE "C";
