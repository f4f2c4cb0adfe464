-- older processes may run beside this: yes

-- Who approved an entry of a batch that wants two people; the second one's word makes it count.
ALTER TABLE rail_entries ADD COLUMN approved_by TEXT COLLATE "C";
