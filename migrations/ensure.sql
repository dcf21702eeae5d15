-- Procedures that the steps call. The first migration of a run creates them,
-- the last one drops them in the transaction that records it: a schema with
-- all versions recorded has none of them.
--
-- Each one makes a thing equal to its description and leaves it alone when it
-- already is: an upgrade holds no lock it does not need, and a step may be
-- applied any number of times. Descriptions are written as PostgreSQL prints
-- them back; a mere difference in spelling only costs a second creation.
--
-- The namespace is the first schema of search_path, set by the runner.

create or replace procedure truegrant_enum(enum_name text, variadic labels text[])
language plpgsql as $procedure$
declare
  enum oid := (select oid from pg_type
                where typnamespace = current_schema()::regnamespace and typname = enum_name);
  previous text;
  label text;
begin
  if enum is null then
    execute format('create type %I as enum (%s)', enum_name,
      (select string_agg(quote_literal(l), ', ' order by n) from unnest(labels) with ordinality u(l, n)));
    return;
  end if;
  foreach label in array labels loop
    execute format('alter type %I add value if not exists %L', enum_name, label)
      || coalesce(' after ' || quote_literal(previous), ' before ' || quote_literal(
           (select enumlabel from pg_enum where enumtypid = enum order by enumsortorder limit 1)));
    previous := label;
  end loop;
end $procedure$;

-- fill is an expression for rows without a value; keep_if_used leaves the type
-- alone when a view, rule or policy needs the column as it is.
create or replace procedure truegrant_column(
  tbl text, col text, kind text,
  required boolean default false, default_value text default null,
  fill text default null, keep_if_used boolean default false)
language plpgsql as $procedure$
declare
  target regclass := format('%I.%I', current_schema(), tbl)::regclass;
  present record;
begin
  select a.attnotnull as required, format_type(a.atttypid, a.atttypmod) as kind,
         pg_get_expr(d.adbin, d.adrelid) as default_value,
         exists (select from pg_index i where i.indrelid = target and i.indisprimary
                    and a.attnum = any (i.indkey::int2[])) as in_key
    into present
    from pg_attribute a
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
   where a.attrelid = target and a.attname = col and not a.attisdropped;

  if not found and (default_value is not null or fill is null) then
    execute format('alter table %s add column %I %s', target, col, kind)
      || coalesce(' default ' || default_value, '') || case when required then ' not null' else '' end;
    return;
  elsif not found then
    execute format('alter table %s add column %I %s', target, col, kind);
    select false as required, false as in_key into present;
  else
    if present.kind <> kind then
      begin
        execute format('alter table %s alter column %I drop default', target, col);
        execute format('alter table %s alter column %I type %s using %I::%s', target, col, kind, col, kind);
        present.default_value := null;
      exception when feature_not_supported then
        if not keep_if_used then
          raise;
        end if;
        raise warning 'column %.% stays %: something depends on its type', tbl, col, present.kind;
      end;
    end if;
    if present.default_value is distinct from default_value then
      execute format('alter table %s alter column %I', target, col)
        || coalesce(' set default ' || default_value, ' drop default');
    end if;
  end if;

  if fill is not null and not present.required then
    execute format('update %s set %I = %s where %I is null', target, col, fill, col);
  end if;
  if required and not present.required then
    execute format('alter table %s alter column %I set not null', target, col);
  elsif present.required and not required and not present.in_key then
    execute format('alter table %s alter column %I drop not null', target, col);
  end if;
end $procedure$;

create or replace procedure truegrant_generated(tbl text, col text, kind text, expression text)
language plpgsql as $procedure$
declare
  target regclass := format('%I.%I', current_schema(), tbl)::regclass;
  present record;
begin
  select a.attgenerated as generated, format_type(a.atttypid, a.atttypmod) as kind,
         pg_get_expr(d.adbin, d.adrelid) as expression
    into present
    from pg_attribute a
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
   where a.attrelid = target and a.attname = col and not a.attisdropped;

  if found and present.generated = '' then
    -- It may hold somebody's data, so it is not ours to replace.
    raise exception 'column %.% must be generated as % but is an ordinary column', tbl, col, expression
      using hint = 'Rename or drop that column, then migrate again.';
  elsif found and present.kind = kind and present.expression = expression then
    return;
  elsif found then
    execute format('alter table %s drop column %I', target, col);
  end if;
  execute format('alter table %s add column %I %s generated always as (%s) stored', target, col, kind, expression);
end $procedure$;

create or replace procedure truegrant_constraint(tbl text, constraint_name text, definition text)
language plpgsql as $procedure$
declare
  target regclass := format('%I.%I', current_schema(), tbl)::regclass;
  present record;
begin
  for present in
    select conname, conname = constraint_name and pg_get_constraintdef(oid) = definition as as_described
      from pg_constraint
     where conrelid = target
       and (conname = constraint_name or (contype = 'p' and definition like 'PRIMARY KEY%'))
  loop
    if present.as_described then
      return;
    end if;
    execute format('alter table %s drop constraint %I', target, present.conname);
  end loop;
  if definition like 'PRIMARY KEY%' or definition like 'UNIQUE%' then
    execute format('drop index if exists %I.%I', current_schema(), constraint_name);
  end if;
  execute format('alter table %s add constraint %I %s', target, constraint_name, definition);
end $procedure$;

-- An index equal to the alternative is left alone too.
create or replace procedure truegrant_index(
  tbl text, index_name text, definition text, is_unique boolean default false, alternative text default null)
language plpgsql as $procedure$
declare
  target regclass := format('%I.%I', current_schema(), tbl)::regclass;
  present record;
begin
  select i.indisunique as is_unique, i.indisvalid as valid,
         regexp_replace(pg_get_indexdef(c.oid, 0, true), '^.*? USING ', '') as definition
    into present
    from pg_class c join pg_index i on i.indexrelid = c.oid
   where c.relnamespace = current_schema()::regnamespace and c.relname = index_name and i.indrelid = target;

  if found then
    if present.valid and present.is_unique = is_unique
       and present.definition in (definition, coalesce(alternative, definition)) then
      return;
    end if;
    execute format('drop index %I.%I', current_schema(), index_name);
  end if;
  execute format('create %s index %I on %s using %s',
    case when is_unique then 'unique' else '' end, index_name, target, definition);
end $procedure$;
