package listing

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/indexer"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/storage"
	"github.com/truegrant/truegrant/storage/dbtest"
)

const (
	instance = "00000000-0000-0000-0000-000000000000"
	users    = 13_457
)

// bundle is a Surveyor of a database with users of whom each four were created
// at the same time.
type bundle struct {
	*testing.T
	*Surveyor
	url  string
	conn *storage.Conn
	log  bytes.Buffer

	mu    sync.Mutex
	clock time.Time
	tick  time.Duration // what a look at the clock takes
}

func setup(t *testing.T, number int) *bundle {
	t.Helper()
	url := dbtest.New(t)
	db, err := storage.Open(conf.DB{URL: url, Namespace: "auth", StatementCacheEnabled: true}, storage.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	b := &bundle{T: t, url: url, conn: db.Conn(t.Context()), clock: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)}
	log := logrus.New()
	log.SetOutput(&b.log)
	b.Surveyor = New(db, log, b.now)
	t.Cleanup(b.Close)
	b.exec(`insert into users (id, instance_id, aud, email, created_at, raw_user_meta_data)
		select gen_random_uuid(), $1, 'authenticated', 'user-' || n || '@example.com',
		       '2020-01-01'::timestamptz + n / 4 * interval '1 minute', jsonb_build_object('full_name', 'User ' || n % 10)
		  from generate_series(1, $2) n`, instance, number)
	b.exec(`analyze users`)
	return b
}

func (b *bundle) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock = b.clock.Add(b.tick)
	return b.clock
}

func (b *bundle) advance(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock = b.clock.Add(d)
}

func (b *bundle) exec(query string, args ...any) {
	b.Helper()
	_, err := b.conn.Exec(query, args...)
	require.NoError(b, err)
}

// page is what a page shows, and the total.
func (b *bundle) page(q models.UserQuery, skip int64, oldestFirst bool) (emails []string, r models.Range, total int64) {
	b.Helper()
	r, total, err := b.Find(b.Context(), q, models.Range{Skip: skip, Limit: 7, OldestFirst: oldestFirst})
	require.NoError(b, err)
	found, err := models.UserPage(b.conn, q, r)
	require.NoError(b, err)
	for _, user := range found {
		emails = append(emails, user.Email)
	}
	return emails, r, total
}

// same demands that pages hold what counting off the rows would give.
func (b *bundle) same(q models.UserQuery, filter string, skips ...int64) {
	b.Helper()
	for _, skip := range skips {
		for _, oldestFirst := range []bool{false, true} {
			order := " order by created_at desc, id desc"
			if oldestFirst {
				order = " order by created_at, id"
			}
			var want []string
			require.NoError(b, b.conn.Select(&want, `select email from users where `+filter+order+` limit 7 offset $1`, skip))
			got, _, _ := b.page(q, skip, oldestFirst)
			require.Equal(b, want, got, "%d %v", skip, oldestFirst)
		}
	}
}

func TestShortListsAreCounted(t *testing.T) {
	t.Parallel()
	b := setup(t, 25)
	q := models.UserQuery{Aud: "authenticated"}
	_, r, total := b.page(q, 20, false)
	require.EqualValues(t, 25, total)
	require.Nil(t, r.From)
	b.exec(`delete from users where email = 'user-3@example.com'`)
	_, _, total = b.page(q, 20, false)
	require.EqualValues(t, 24, total)
	b.same(q, "true", 0, 3, 18, 24, 25, 30)
	_, _, total = b.page(models.UserQuery{Aud: "nobody's"}, 0, false)
	require.Zero(t, total)
}

// The indexes make pages fast and do not change them.
func TestLongLists(t *testing.T) {
	t.Parallel()
	for name, indexes := range map[string][]indexer.Index{"bare": nil, "indexed": indexer.Lists()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, users)
			b.build(indexes)
			b.checkLongList()
		})
	}
}

func (b *bundle) build(indexes []indexer.Index) {
	b.Helper()
	log := logrus.New()
	log.SetOutput(&b.log)
	built, err := (&indexer.Worker{URL: b.url, Namespace: "auth", Indexes: indexes, Log: log}).Build(b.Context())
	require.NoError(b, err)
	require.Len(b, built, len(indexes))
}

func (b *bundle) checkLongList() {
	t := b.T
	everybody := models.UserQuery{Aud: "authenticated"}
	skips := []int64{
		0, 5, 999, 1000, 9_999, exactUpTo, exactUpTo + 1, 10_456, 10_457, 10_458, 11_000, 11_001, 12_345,
		users - 1001, users - 1000, users - 8, users - 7, users - 3, users - 1, users, users + 1, 10 * users,
	}

	// Before the first survey pages are counted off and the total is the
	// planner's.
	from, total, err := b.Find(t.Context(), everybody, models.Range{Skip: 12_000})
	require.NoError(t, err)
	require.Nil(t, from.From)
	require.InDelta(t, users, total, users/10)
	b.Wait()

	_, r, total := b.page(everybody, 12_000, false)
	require.EqualValues(t, users, total)
	require.NotNil(t, r.From)
	require.LessOrEqual(t, r.Skip, int64(every))
	b.same(everybody, "true", skips...)

	// Those who come and go at the end where people come and go.
	b.exec(`insert into users (id, instance_id, aud, email, created_at)
		select gen_random_uuid(), $1, 'authenticated', 'new-' || n || '@example.com', now() from generate_series(1, 1234) n`, instance)
	_, _, total = b.page(everybody, 0, false)
	require.EqualValues(t, users+1234, total)
	b.same(everybody, "true", skips...)
	b.exec(`delete from users where email like 'new-7%'`)
	b.same(everybody, "true", skips...)

	// Elsewhere a deletion shows after the next survey.
	b.exec(`delete from users where email like 'user-1%5@example.com'`)
	b.advance(freshFor + time.Second)
	b.page(everybody, 0, false)
	b.Wait()
	b.same(everybody, "true", skips...)
}

func TestFilteredLists(t *testing.T) {
	t.Parallel()
	for name, indexes := range map[string][]indexer.Index{"bare": nil, "indexed": indexer.Lists()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, users)
			b.build(indexes)
			for filter, where := range map[string]string{
				"user-1":  `email like '%user-1%'`,
				"uSER 7":  `raw_user_meta_data->>'full_name' = 'User 7'`,
				"00@":     `email like '%00@%'`,
				"USER-1":  `false`,
				"r-_9@e%": `email like '%r-_9@e%'`,
				`\%`:      `false`,
			} {
				b.same(models.UserQuery{Aud: "authenticated", Filter: filter}, where, 0, 1, 20, 1000, 4000, users)
			}
			require.Empty(t, b.known, "few enough to be looked for each time")

			all := models.UserQuery{Aud: "authenticated", Filter: "@example"}
			b.page(all, 0, false)
			b.Wait()
			_, r, total := b.page(all, 12_500, true)
			require.EqualValues(t, users, total)
			require.NotNil(t, r.From)
			b.same(all, "true", 0, 12_500, users-3)
		})
	}
}

// What took long to find is kept for a multiple of that time.
func TestSlowSearchIsKept(t *testing.T) {
	t.Parallel()
	b := setup(t, 100)
	b.tick = slowSearch
	q := models.UserQuery{Aud: "authenticated", Filter: "user-1"}
	_, r, total := b.page(q, 0, false)
	require.Len(t, r.Rows, 7)
	require.EqualValues(t, 12, total)
	b.exec(`delete from users where email in ('user-100@example.com', 'user-11@example.com')`)
	emails, _, total := b.page(q, 0, false)
	require.EqualValues(t, 12, total)
	require.Len(t, emails, 6)
	b.advance(restShare * slowSearch)
	_, _, total = b.page(q, 0, false)
	require.EqualValues(t, 10, total)
}

// Of many who look for the same, most find what others found.
func TestSearchesWaitForEachOther(t *testing.T) {
	t.Parallel()
	b := setup(t, 100)
	b.tick = slowSearch
	q := models.UserQuery{Aud: "authenticated", Filter: "user-1"}
	for range searches {
		b.searching <- struct{}{}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, _, err := b.Find(ctx, q, models.Range{Limit: 7})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	found := make(chan int64)
	go func() {
		_, total, _ := b.Find(t.Context(), q, models.Range{Limit: 7})
		found <- total
	}()
	b.mu.Lock() // the clock, so that the time below is not over before it is looked at
	now := b.clock
	b.mu.Unlock()
	b.Surveyor.mu.Lock()
	b.remember(models.ListKey(q), &survey{places: make([]models.Place, 77), whole: true, at: now, stale: now.Add(time.Hour)})
	b.Surveyor.mu.Unlock()
	<-b.searching
	require.EqualValues(t, 77, <-found)
}

func TestSurveysEnd(t *testing.T) {
	t.Parallel()
	b := setup(t, users)
	q := models.UserQuery{Aud: "authenticated"}
	b.page(q, 0, false)
	b.Wait()
	first := b.recall(q)
	require.NotNil(t, first)

	b.advance(freshFor)
	require.Same(t, first, b.recall(q))
	b.Wait()
	b.advance(time.Second)
	require.Same(t, first, b.recall(q), "used until the next one is there")
	b.Wait()
	require.NotSame(t, first, b.recall(q))
	b.advance(maxAge + time.Second)
	require.Nil(t, b.recall(q))

	// A row without a place: no places, and pages are counted off.
	b.exec(`update users set created_at = null where email = 'user-5@example.com'`)
	b.page(q, 0, false)
	b.Wait()
	_, r, total := b.page(q, 12_000, false)
	require.Nil(t, r.From)
	require.Greater(t, total, int64(exactUpTo))
	b.same(q, "true", 0, 12_000, users-2)
}

func TestFailedSurveyPauses(t *testing.T) {
	t.Parallel()
	b := setup(t, 1)
	broken := storageClosed(t)
	s := New(broken, logrus.New(), b.now)
	t.Cleanup(s.Close)
	log := logrus.New()
	log.SetOutput(&b.log)
	s.log = log
	q := models.UserQuery{Aud: "authenticated"}
	s.begin(q)
	s.Wait()
	require.Contains(t, b.log.String(), "could not be surveyed")
	require.Empty(t, s.known)
	b.log.Reset()
	s.begin(q)
	s.Wait()
	require.Empty(t, b.log.String(), "not at once again")
	b.advance(surveyTimeout)
	s.begin(q)
	s.Wait()
	require.NotEmpty(t, b.log.String())
}

// storageClosed is a database that cannot be asked.
func storageClosed(t *testing.T) *storage.DB {
	t.Helper()
	db, err := storage.Open(conf.DB{URL: "postgres://nobody@127.0.0.1:1/none"}, storage.Options{})
	require.NoError(t, err)
	require.NoError(t, db.Close())
	return db
}

func TestFewListsAreRemembered(t *testing.T) {
	t.Parallel()
	s := New(nil, nil, nil)
	for i := range maxSurveys + 10 {
		s.remember(string(rune('a'+i)), &survey{at: time.Unix(int64(i), 0)})
	}
	require.Len(t, s.known, maxSurveys)
	require.NotContains(t, s.known, "a")
}

// Many callers at once need one survey, and Close waits for it.
func TestOneSurveyAtATime(t *testing.T) {
	t.Parallel()
	b := setup(t, users)
	q := models.UserQuery{Aud: "authenticated"}
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 5 {
				_, total, err := b.Find(t.Context(), q, models.Range{Skip: 11_000})
				if err != nil || total <= exactUpTo {
					t.Errorf("%d, %v", total, err)
				}
			}
		})
	}
	callers.Wait()
	b.Close()
	b.begin(q)
	require.False(t, b.busy)
	require.Empty(t, b.log.String())
}
