create table if not exists audit_log_entries ();
call truegrant_column('audit_log_entries', 'instance_id', 'uuid');
call truegrant_column('audit_log_entries', 'id', 'uuid', required => true);
call truegrant_column('audit_log_entries', 'payload', 'json');
call truegrant_column('audit_log_entries', 'created_at', 'timestamp with time zone');
call truegrant_column('audit_log_entries', 'ip_address', 'character varying(64)',
  required => true, default_value => $$''::character varying$$, fill => $$''$$);

-- Without these two an entry is not listed. The epoch says "time unknown"; any
-- later time would be an invention.
update audit_log_entries
   set instance_id = coalesce(instance_id, '00000000-0000-0000-0000-000000000000'),
       created_at = coalesce(created_at, to_timestamp(0))
 where instance_id is null or created_at is null;

call truegrant_constraint('audit_log_entries', 'audit_log_entries_pkey', 'PRIMARY KEY (id)');
call truegrant_index('audit_log_entries', 'audit_logs_instance_id_idx', 'btree (instance_id)');
