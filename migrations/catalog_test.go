package migrations

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// facts describe a schema as the catalog tells it. Files in testdata hold the
// facts of databases that GoTrue has migrated.
type facts struct {
	Tables     map[string]table          `json:"tables"`
	Enums      map[string][]string       `json:"enums"`
	Functions  map[string]map[string]any `json:"functions"`
	Sequences  map[string]map[string]any `json:"sequences"`
	Views      []string                  `json:"views"`
	Triggers   []string                  `json:"triggers"`
	Policies   []string                  `json:"policies"`
	Domains    []string                  `json:"domains"`
	Migrations []string                  `json:"migrations"`
}

type table struct {
	RLS         bool                         `json:"rls"`
	RLSForced   bool                         `json:"rls_forced"`
	Columns     map[string]column            `json:"columns"`
	Constraints map[string]constraint        `json:"constraints"`
	Indexes     map[string]index             `json:"indexes"`
	Grants      map[string]map[string]string `json:"grants"`
}

type column struct {
	Position  int    `json:"position"`
	Type      string `json:"type"`
	Nullable  bool   `json:"nullable"`
	Default   string `json:"default"`
	Generated string `json:"generated"`
	Identity  string `json:"identity"`
}

type constraint struct {
	Type       string   `json:"type"`
	Columns    []string `json:"columns"`
	References string   `json:"references"`
	RefColumns []string `json:"ref_columns"`
	OnDelete   string   `json:"on_delete"`
	OnUpdate   string   `json:"on_update"`
	Definition string   `json:"definition"`
	Deferrable bool     `json:"deferrable"`
	Validated  bool     `json:"validated"`
}

type index struct {
	Unique       bool     `json:"unique"`
	Method       string   `json:"method"`
	Keys         []string `json:"keys"`
	Opclasses    []string `json:"opclasses"`
	Predicate    string   `json:"predicate"`
	OfConstraint bool     `json:"of_constraint"`
	Invalid      bool     `json:"invalid"`
}

func loadFacts(t *testing.T, path string) facts {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	var f facts
	require.NoError(t, json.Unmarshal(content, &f))
	return f
}

// wanted are the facts after all migrations, without the columns' positions:
// those depend on the way a database came.
func wanted(t *testing.T) facts {
	t.Helper()
	f := loadFacts(t, "testdata/schema.json")
	f.forgetPositions()
	return f
}

func (f facts) forgetPositions() {
	for _, tbl := range f.Tables {
		for name, c := range tbl.Columns {
			c.Position = 0
			tbl.Columns[name] = c
		}
	}
}

// catalogQuery reads the facts of the schema $1 as one JSON document.
// Run with an empty search_path, so that PostgreSQL qualifies names.
const catalogQuery = `
with ns as (select oid from pg_namespace where nspname = $1),
rel as (select c.* from pg_class c, ns where c.relnamespace = ns.oid and c.relkind in ('r', 'p'))
select json_build_object(
  'tables', (select json_object_agg(c.relname, json_build_object(
    'rls', c.relrowsecurity, 'rls_forced', c.relforcerowsecurity,
    'columns', (select coalesce(json_object_agg(a.attname, json_build_object(
        'type', format_type(a.atttypid, a.atttypmod), 'nullable', not a.attnotnull, 'identity', a.attidentity,
        'default', case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end,
        'generated', case when a.attgenerated <> '' then pg_get_expr(d.adbin, d.adrelid) end)), '{}')
      from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
    'constraints', (select coalesce(json_object_agg(k.conname, json_build_object(
        'type', case k.contype when 'p' then 'primary key' when 'u' then 'unique' when 'f' then 'foreign key'
                               when 'c' then 'check' else 'exclude' end,
        'columns', (select json_agg(a.attname order by u.n) from unnest(k.conkey) with ordinality u(x, n)
                    join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.x),
        'references', (select relname from pg_class where oid = k.confrelid),
        'ref_columns', (select json_agg(a.attname order by u.n) from unnest(k.confkey) with ordinality u(x, n)
                        join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.x),
        'on_delete', case when k.contype = 'f' then case k.confdeltype when 'c' then 'cascade' when 'a' then 'no action' else k.confdeltype::text end end,
        'on_update', case when k.contype = 'f' then case k.confupdtype when 'c' then 'cascade' when 'a' then 'no action' else k.confupdtype::text end end,
        'definition', case when k.contype in ('c', 'x') then pg_get_constraintdef(k.oid) end,
        'deferrable', k.condeferrable, 'validated', k.convalidated)), '{}')
      from pg_constraint k where k.conrelid = c.oid and k.contype in ('p', 'u', 'f', 'c', 'x')),
    'indexes', (select coalesce(json_object_agg(i.relname, json_build_object(
        'unique', x.indisunique, 'invalid', not x.indisvalid,
        'method', (select amname from pg_am where oid = i.relam),
        'keys', (select json_agg(pg_get_indexdef(i.oid, n, true) ||
                   case (x.indoption::int2[])[n - 1] when 0 then '' when 3 then ' desc' else ' other order' end order by n)
                 from generate_series(1, x.indnkeyatts) n),
        'opclasses', (select json_agg(o.opcname order by u.n) from unnest(x.indclass::oid[]) with ordinality u(x, n)
                      join pg_opclass o on o.oid = u.x where not o.opcdefault),
        'predicate', pg_get_expr(x.indpred, x.indrelid),
        'of_constraint', exists (select from pg_constraint k where k.conindid = i.oid and k.contype in ('p', 'u', 'x')))), '{}')
      from pg_index x join pg_class i on i.oid = x.indexrelid where x.indrelid = c.oid),
    'grants', (select coalesce(json_object_agg(grantee, privileges), '{}') from (
        select pg_get_userbyid(g.grantee) as grantee, json_object_agg(g.privilege_type,
                 case when g.is_grantable then 'with grant option' else 'plain' end) as privileges
          from aclexplode(c.relacl) g where g.grantee <> c.relowner group by 1) g))) from rel c),
  'enums', (select coalesce(json_object_agg(t.typname, (select json_agg(e.enumlabel order by e.enumsortorder)
      from pg_enum e where e.enumtypid = t.oid)), '{}') from pg_type t, ns where t.typnamespace = ns.oid and t.typtype = 'e'),
  'functions', (select coalesce(json_object_agg(p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
      json_build_object('returns', pg_get_function_result(p.oid), 'language', l.lanname,
        'volatility', case p.provolatile when 's' then 'stable' else p.provolatile::text end,
        'strict', p.proisstrict, 'security_definer', p.prosecdef)), '{}')
      from pg_proc p join pg_language l on l.oid = p.prolang, ns where p.pronamespace = ns.oid),
  'sequences', (select coalesce(json_object_agg(c.relname, json_build_object('type', format_type(s.seqtypid, null),
      'start', s.seqstart, 'increment', s.seqincrement,
      'owned_by', (select t.relname || '.' || a.attname from pg_depend d join pg_class t on t.oid = d.refobjid
         join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
         where d.objid = c.oid and d.deptype in ('a', 'i')))), '{}')
      from pg_sequence s join pg_class c on c.oid = s.seqrelid, ns where c.relnamespace = ns.oid),
  'views', (select coalesce(json_agg(c.relname), '[]') from pg_class c, ns where c.relnamespace = ns.oid and c.relkind in ('v', 'm', 'f')),
  'triggers', (select coalesce(json_agg(g.tgname), '[]') from pg_trigger g join rel on rel.oid = g.tgrelid where not g.tgisinternal),
  'policies', (select coalesce(json_agg(p.polname), '[]') from pg_policy p join rel on rel.oid = p.polrelid),
  'domains', (select coalesce(json_agg(t.typname), '[]') from pg_type t, ns where t.typnamespace = ns.oid and t.typtype = 'd'))`

// catalog reads the facts of a schema, which is called auth in the result. What
// this server adds to GoTrue's schema is checked and left out.
func (d testDatabase) catalog(t *testing.T, namespace string) facts {
	t.Helper()
	tx, err := d.Begin()
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback()) }()
	_, err = tx.ExecContext(t.Context(), "set local search_path to ''")
	require.NoError(t, err)

	var document string
	require.NoError(t, tx.QueryRowContext(t.Context(), catalogQuery, namespace).Scan(&document))
	var f facts
	require.NoError(t, json.Unmarshal([]byte(strings.ReplaceAll(document, namespace+".", "auth.")), &f))

	rows, err := tx.QueryContext(t.Context(), "select version from "+namespace+".schema_migrations order by version")
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	f.Migrations = []string{}
	for rows.Next() {
		var version string
		require.NoError(t, rows.Scan(&version))
		f.Migrations = append(f.Migrations, version)
	}
	require.NoError(t, rows.Err())
	return f
}

// requireMigrated compares a schema with the facts and additions with what is
// expected of them. adjust makes known differences part of the expectation.
func (d testDatabase) requireMigrated(t *testing.T, namespace string, adjust ...func(*facts)) {
	t.Helper()
	want, got := wanted(t), d.catalog(t, namespace)
	for _, f := range adjust {
		f(&want)
	}
	for _, ours := range []string{
		"oauth_redeemed_codes", "truegrant_mfa_recovery_codes", "truegrant_oauth_authorizations", "truegrant_oauth_sessions",
	} {
		require.Contains(t, got.Tables, ours)
		require.True(t, got.Tables[ours].RLS, ours)
		require.Empty(t, got.Tables[ours].Grants, ours)
		delete(got.Tables, ours)
	}
	require.True(t, got.Tables["truegrant_migrations"].RLS)
	delete(got.Tables, "truegrant_migrations")
	require.Contains(t, got.Tables["oauth_authorizations"].Indexes, "oauth_authorizations_expires_at_idx")
	delete(got.Tables["oauth_authorizations"].Indexes, "oauth_authorizations_expires_at_idx")

	for name := range want.Tables {
		require.Equal(t, want.Tables[name], got.Tables[name], name)
	}
	require.Equal(t, want, got)
	require.Equal(t, strings.Join(ownVersions(t), " "), d.value(t, "select string_agg(version, ' ' order by version) from "+namespace+".truegrant_migrations"))
	d.requireClaimFunctions(t, namespace)
}

// requireClaimFunctions calls the functions that policies use.
func (d testDatabase) requireClaimFunctions(t *testing.T, namespace string) {
	t.Helper()
	const (
		user   = "11111111-2222-4333-8444-555555555555"
		other  = "99999999-8888-4777-8666-555555555555"
		claims = `{"sub": "` + user + `", "role": "authenticated", "email": "a@b.c", "x": 1}`
	)
	for name, test := range map[string]struct {
		settings map[string]string
		want     [4]string
	}{
		"nothing set": {nil, [4]string{}},
		"claims":      {map[string]string{"claims": claims}, [4]string{user, "authenticated", "a@b.c", claims}},
		"single claims win": {
			map[string]string{"claims": claims, "claim.sub": other, "claim.role": "anon", "claim.email": "z@z.z"},
			[4]string{other, "anon", "z@z.z", claims},
		},
		"empty single claims do not count": {
			map[string]string{"claims": claims, "claim.sub": "", "claim.role": "", "claim.email": "", "claim": ""},
			[4]string{user, "authenticated", "a@b.c", claims},
		},
		"empty claims": {map[string]string{"claims": ""}, [4]string{}},
		"jwt of its own": {
			map[string]string{"claims": claims, "claim": `{"k": "v"}`},
			[4]string{user, "authenticated", "a@b.c", `{"k": "v"}`},
		},
	} {
		tx, err := d.Begin()
		require.NoError(t, err)
		for key, value := range test.settings {
			_, err := tx.ExecContext(context.Background(), "select set_config($1, $2, true)", "request.jwt."+key, value)
			require.NoError(t, err)
		}
		var got [4]*string
		require.NoError(t, tx.QueryRowContext(context.Background(), strings.ReplaceAll(
			"select ns.uid()::text, ns.role(), ns.email(), ns.jwt()::text", "ns.", namespace+".")).
			Scan(&got[0], &got[1], &got[2], &got[3]), name)
		require.NoError(t, tx.Rollback())
		for i, want := range test.want {
			switch {
			case want == "":
				require.Nil(t, got[i], name)
			case i == 3:
				require.JSONEq(t, want, *got[i], name)
			default:
				require.Equal(t, want, *got[i], name)
			}
		}
	}
}

// gotrueVersions is how many versions GoTrue records.
const gotrueVersions = 70

// ownVersions are the versions of the folder truegrant, in their order.
func ownVersions(t testing.TB) []string {
	t.Helper()
	list, err := steps(SourceTruegrant)
	require.NoError(t, err)
	versions := make([]string, 0, len(list))
	for _, each := range list {
		versions = append(versions, each.version)
	}
	require.NotEmpty(t, versions)
	return versions
}
