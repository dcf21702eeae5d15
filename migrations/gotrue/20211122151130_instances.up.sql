-- A relic: nothing reads or writes it, but GoTrue's schema has it.
create table if not exists instances ();
call truegrant_column('instances', 'id', 'uuid', required => true);
call truegrant_column('instances', 'uuid', 'uuid');
call truegrant_column('instances', 'raw_base_config', 'text');
call truegrant_column('instances', 'created_at', 'timestamp with time zone');
call truegrant_column('instances', 'updated_at', 'timestamp with time zone');
call truegrant_constraint('instances', 'instances_pkey', 'PRIMARY KEY (id)');
