package indexer_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/indexer"
	"github.com/truegrant/truegrant/storage"
	"github.com/truegrant/truegrant/storage/dbtest"
)

type bundle struct {
	*testing.T
	worker *indexer.Worker
	db     *storage.DB
	log    *bytes.Buffer
}

func setup(t *testing.T) *bundle {
	t.Helper()
	url := dbtest.New(t)
	db, err := storage.Open(conf.DB{URL: url, Namespace: "auth", MaxPoolSize: 2}, storage.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	log, out := logrus.New(), new(bytes.Buffer)
	log.SetOutput(out)
	return &bundle{T: t, db: db, log: out, worker: &indexer.Worker{
		URL: url, Namespace: "auth", Indexes: indexer.UserSearch(), Log: log,
	}}
}

func (b *bundle) exec(query string) {
	b.Helper()
	_, err := b.db.Conn(b.Context()).Exec(query)
	require.NoError(b, err)
}

// valid are the names of the optional indexes that can be used.
func (b *bundle) valid() string {
	b.Helper()
	var names []string
	require.NoError(b, b.db.Conn(b.Context()).Select(&names, `
		select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid
		 where c.relname like 'idx\_users\_%' and i.indisvalid order by 1`))
	return strings.Join(names, " ")
}

const all = "idx_users_created_at_desc idx_users_email idx_users_last_sign_in_at_desc idx_users_name"

func (b *bundle) build() string {
	b.Helper()
	built, err := b.worker.Build(b.Context())
	require.NoError(b, err)
	return strings.Join(built, " ")
}

func TestBuild(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.Equal(t, "idx_users_email idx_users_created_at_desc idx_users_last_sign_in_at_desc idx_users_name", b.build())
	require.Equal(t, all, b.valid())
	require.Empty(t, b.build(), "all is there")
	b.exec(`drop index idx_users_email`)
	require.Equal(t, "idx_users_email", b.build())
}

// A build that was interrupted leaves an index that nobody can use.
func TestInvalidLeftoverIsBuiltAnew(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.build()
	b.exec(`update pg_index set indisvalid = false where indexrelid = 'idx_users_name'::regclass`)
	require.NotContains(t, b.valid(), "idx_users_name")
	require.Equal(t, "idx_users_name", b.build())
	require.Equal(t, all, b.valid())
}

// Of replicas that start at once, one builds each index.
func TestReplicasBuildOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var group sync.WaitGroup
	var mu sync.Mutex
	built := []string{}
	for range 4 {
		group.Go(func() {
			names, err := b.worker.Build(t.Context())
			mu.Lock()
			defer mu.Unlock()
			built = append(built, names...)
			if err != nil {
				built = append(built, err.Error())
			}
		})
	}
	group.Wait()
	require.Len(t, built, 4, built)
	require.Equal(t, all, b.valid())
}

// Users sign up while an index is being built.
func TestBuildIsConcurrent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	done := make(chan string, 1)
	err := b.db.Tx(t.Context(), func(tx *storage.Conn) error {
		_, err := tx.Exec(`insert into users (id, aud) values (gen_random_uuid(), 'a')`)
		require.NoError(t, err)
		go func() {
			built, _ := b.worker.Build(t.Context())
			done <- strings.Join(built, " ")
		}()
		require.Eventually(t, func() bool {
			var waiting int
			err := b.db.Conn(t.Context()).Get(&waiting, `select count(*) from pg_stat_activity
				where datname = current_database() and query like 'create index concurrently%' and wait_event_type = 'Lock'`)
			return err == nil && waiting == 1
		}, 30*time.Second, 10*time.Millisecond)
		// The builder waits for this transaction; it must not keep others out.
		_, err = b.db.Conn(t.Context()).Exec(`insert into users (id, aud) values (gen_random_uuid(), 'b')`)
		return err
	})
	require.NoError(t, err)
	require.NotEmpty(t, <-done)
	require.Equal(t, all, b.valid())
}

// What does not fit one index is no reason to do without the others.
func TestOneIndexFails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`insert into users (id, raw_user_meta_data) select gen_random_uuid(),
		jsonb_build_object('name', string_agg(md5(n::text), '')) from generate_series(1, 400) n`)
	b.worker.Indexes = append([]indexer.Index{b.worker.Indexes[3]}, b.worker.Indexes[:3]...)
	b.worker.Run(t.Context())
	require.Equal(t, "idx_users_created_at_desc idx_users_email idx_users_last_sign_in_at_desc", b.valid())
	require.Contains(t, b.log.String(), "idx_users_name")
	require.Contains(t, b.log.String(), "level=warning")
}

func TestThreshold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`insert into users (id) select gen_random_uuid() from generate_series(1, 20)`)
	b.exec(`analyze users`)
	b.worker.MaxUsers = 19
	require.Empty(t, b.build())
	b.worker.MaxUsers = 20
	require.NotEmpty(t, b.build())
}

func TestFromConf(t *testing.T) {
	t.Parallel()
	cfg := conf.Default()
	require.Equal(t, indexer.Lists(), indexer.FromConf(cfg, nil).Indexes)
	cfg.IndexWorker.ListIndexesEnabled = false
	require.Nil(t, indexer.FromConf(cfg, nil))
	indexer.FromConf(cfg, nil).Run(t.Context()) // nothing to do
	cfg.IndexWorker.MaxUsersThreshold = 5
	require.EqualValues(t, 5, indexer.FromConf(cfg, nil).MaxUsers)
	cfg.IndexWorker.EnsureUserSearchIndexesExist = true
	require.Zero(t, indexer.FromConf(cfg, nil).MaxUsers, "asked for, however many users there are")
}

// The lists' indexes are built whatever the size, in any schema that the
// extension may be in.
func TestLists(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]string{
		"no extension":          ``,
		"Supabase's":            `create schema extensions; create extension pg_trgm with schema extensions`,
		"somebody's own schema": `create schema "Odd one"; create extension pg_trgm with schema "Odd one"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			for statement := range strings.SplitSeq(before, ";") {
				b.exec(statement)
			}
			b.exec(`insert into users (id) select gen_random_uuid() from generate_series(1, 20)`)
			b.exec(`analyze users`)
			b.worker.Indexes, b.worker.MaxUsers = append(indexer.UserSearch(), indexer.Lists()...), 1
			require.Equal(t, "truegrant_users_list_idx truegrant_audit_list_idx truegrant_users_email_trgm_idx "+
				"truegrant_users_full_name_trgm_idx", b.build())
			require.Empty(t, b.build())
			require.Empty(t, b.valid(), "the optional ones are for smaller tables")
		})
	}
}

// Without the extension's files, or the right to use them, there are the others.
func TestExtensionIsMissing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.worker.Indexes = indexer.Lists()
	b.worker.Indexes[2].Extension = "no_such_extension"
	b.worker.Run(t.Context())
	require.Contains(t, b.log.String(), "extension no_such_extension")
	b.worker.Indexes = indexer.Lists()
	require.Equal(t, "truegrant_users_email_trgm_idx", b.build())
}

func TestDatabaseIsAway(t *testing.T) {
	t.Parallel()
	worker := indexer.Worker{URL: "postgres://u:hunter2@127.0.0.1:1/none", Namespace: "auth", Indexes: indexer.UserSearch()}
	_, err := worker.Build(t.Context())
	require.ErrorIs(t, err, storage.ErrUnavailable)
	require.NotContains(t, err.Error(), "hunter2")
}
